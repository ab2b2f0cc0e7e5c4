import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** What a rotation left behind, and root keys as rows, so that a key is put under one only while it is primary. */
export function keyChanges(kind: DatabaseKind): Migration {
  const bytes = kind === 'sqlite' ? sql`null` : sql`null::bytea`;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('key_jobs').addColumn('remaining', 'integer').execute();
      await sql`create index key_jobs_finished on key_jobs (finished_at) where finished_at is not null`.execute(
        db,
      );
      // The root key of the oldest key of the system is the one in use, as every release before this had it.
      const isUnderRoot = sql`
        wrapped is not null
        and purpose in ('user-kek', 'blind-index-kek', 'token-signing-kek', 'audit-kek', 'password-pepper')`;
      await sql`
        insert into keys (id, parent_id, owner_id, purpose, suite, version, state, wrapped, created_at, activated_at)
        select
          root.id, '', 'system', 'root', 'root', row_number() over (order by root.since, root.id),
          case when root.id = (
            select parent_id from keys where ${isUnderRoot}
            order by case owner_id when 'system' then 0 else 1 end, created_at, id limit 1
          ) then 'PRIMARY' else 'DECRYPT_ONLY' end,
          ${bytes}, root.since, root.since
        from (select parent_id as id, min(created_at) as since from keys where ${isUnderRoot} group by parent_id) as root
      `.execute(db);
    },
  };
}
