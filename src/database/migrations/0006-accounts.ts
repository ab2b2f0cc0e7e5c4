import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** What an account has beside its password: public keys whose private half its owner keeps. */
export function accounts(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;

  return {
    async up({ schema }: Kysely<unknown>): Promise<void> {
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
