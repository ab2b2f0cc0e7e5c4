import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** What an account has beside its password: API keys, and public keys whose private half its owner keeps. */
export function accounts(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;

  return {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      await schema
        .createTable('api_keys')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('user_id', text, (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('name', text, (column) => column.notNull())
        .addColumn('prefix', text, (column) => column.notNull())
        .addColumn('digest', bytes, (column) => column.notNull().unique())
        .addColumn('scopes', text, (column) => column.notNull())
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('expires_at', time)
        .addColumn('last_used_at', time)
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('api_keys_user').on('api_keys').columns(['user_id', 'id']).execute();

      await schema
        .createTable('public_keys')
        .addColumn('owner_id', text, (column) =>
          column.primaryKey().references('users.id').onDelete('cascade'),
        )
        .addColumn('key_id', text, (column) => column.notNull())
        .addColumn('kem', text, (column) => column.notNull())
        .addColumn('public_key', bytes, (column) => column.notNull())
        .addColumn('created_at', time, (column) => column.notNull())
        .modifyEnd(strict)
        .execute();
    },
  };
}
