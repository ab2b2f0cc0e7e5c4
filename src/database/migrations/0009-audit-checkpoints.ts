import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** What was signed of the audit log. */
export function auditCheckpoints(kind: DatabaseKind): Migration {
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  const long = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('audit_checkpoints')
        .addColumn('seq', long, (column) => column.primaryKey())
        .addColumn('at', long, (column) => column.notNull())
        .addColumn('mac', bytes, (column) => column.notNull())
        .addColumn('signature', bytes, (column) => column.notNull())
        .modifyEnd(strict)
        .execute();
    },
  };
}
