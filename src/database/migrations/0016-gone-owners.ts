import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';
import { guardInSqlite, keyedColumns, sqliteGuardName } from './0015-live-keys.js';

/** Of an owner who is gone the foreign key tells, and nobody that their key has ended. PostgreSQL has it so already. */
export function goneOwners(kind: DatabaseKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      if (kind !== 'sqlite') return;
      for (const column of keyedColumns(kind)) {
        if (column.owner === null) continue;
        for (const event of ['insert', 'update'] as const)
          await sql`drop trigger ${sqliteGuardName(column, event)}`.execute(db);
        const isOwned = sql`exists (select 1 from users where id = ${column.owner})`;
        for (const statement of guardInSqlite(column, isOwned)) await statement.execute(db);
      }
    },
  };
}
