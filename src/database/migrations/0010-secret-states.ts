import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** Destroyed versions, changes of metadata that are no version, and what finds the versions to sweep. */
export function secretStates(kind: DatabaseKind): Migration {
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const { schema } = db;
      await schema.alterTable('secret_versions').addColumn('destroyed_at', time).execute();
      await schema
        .alterTable('secrets')
        .addColumn('metadata_revision', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`
        create index secret_versions_expiry on secret_versions (expires_at)
        where expires_at is not null and key_id <> ''
      `.execute(db);
    },
  };
}
