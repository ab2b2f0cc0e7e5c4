import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** One-time shares, and when each was revealed. */
export function shares(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const { schema } = db;
      await schema
        .createTable('shares')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('owner_id', text, (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('token_digest', bytes, (column) => column.notNull())
        .addColumn('key_id', text, (column) => column.notNull())
        .addColumn('ciphertext', bytes, (column) => column.notNull())
        .addColumn('passphrase_key_id', text)
        .addColumn('passphrase_ciphertext', bytes)
        .addColumn('views', 'integer', (column) => column.notNull())
        .addColumn('views_left', 'integer', (column) => column.notNull().check(sql`views_left >= 0`))
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('expires_at', time, (column) => column.notNull())
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('shares_owner').on('shares').columns(['owner_id', 'id']).execute();
      await schema.createIndex('shares_key').on('shares').column('key_id').execute();
      await schema
        .createIndex('shares_passphrase_key')
        .on('shares')
        .column('passphrase_key_id')
        .where('passphrase_key_id', 'is not', null)
        .execute();
      await schema.createIndex('shares_expiry').on('shares').column('expires_at').execute();

      await schema
        .createTable('share_reveals')
        .addColumn('share_id', text, (column) => column.notNull().references('shares.id').onDelete('cascade'))
        .addColumn('view', 'integer', (column) => column.notNull())
        .addColumn('revealed_at', time, (column) => column.notNull())
        .addPrimaryKeyConstraint('share_reveals_key', ['share_id', 'view'])
        .modifyEnd(strict)
        .execute();
    },
  };
}
