import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** The wrong guesses at passwords, codes and passphrases that are counted against further ones. */
export function attemptFailures(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const clustered = kind === 'sqlite' ? sql`strict, without rowid` : sql``;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const { schema } = db;
      await schema
        .createTable('attempt_failures')
        .addColumn('kind', text, (column) => column.notNull())
        .addColumn('subject', text, (column) => column.notNull())
        .addColumn('failures', 'integer', (column) => column.notNull())
        .addColumn('blocked_until', time, (column) => column.notNull())
        .addColumn('failed_at', time, (column) => column.notNull())
        .addPrimaryKeyConstraint('attempt_failures_key', ['kind', 'subject'])
        .modifyEnd(clustered)
        .execute();
      await schema.createIndex('attempt_failures_age').on('attempt_failures').column('failed_at').execute();
    },
  };
}
