import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** The rotations of keys, and what finds the keys that are due for one. */
export function keyJobs(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const { schema } = db;
      await schema
        .createTable('key_jobs')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('kind', text, (column) => column.notNull())
        .addColumn('purpose', text, (column) => column.notNull())
        .addColumn('owner_id', text, (column) => column.notNull())
        .addColumn('from_key_id', text)
        .addColumn('position', text, (column) => column.notNull())
        .addColumn('lease_owner', text)
        .addColumn('lease_until', time)
        .addColumn('done', 'integer', (column) => column.notNull())
        .addColumn('total', 'integer', (column) => column.notNull())
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('finished_at', time)
        .modifyEnd(strict)
        .execute();
      // One rotation at a time of an owner's keys of a purpose, whoever begins it first.
      await schema
        .createIndex('key_jobs_unfinished')
        .unique()
        .on('key_jobs')
        .columns(['purpose', 'owner_id'])
        .where(sql.ref('finished_at'), 'is', null)
        .execute();
      await schema
        .createIndex('keys_purpose')
        .on('keys')
        .columns(['purpose', 'state', 'activated_at'])
        .execute();
      await sql`
        create index keys_ending on keys (not_after) where not_after is not null and wrapped is not null
      `.execute(db);
    },
  };
}
