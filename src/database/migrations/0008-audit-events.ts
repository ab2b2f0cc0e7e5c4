import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

const MAC_BYTES = 32;

/** The audit log, and the row that everybody who appends to it locks. */
export function auditEvents(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  const long = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const { schema } = db;
      await schema
        .createTable('audit_events')
        .addColumn('seq', long, (column) => column.primaryKey())
        .addColumn('at', long, (column) => column.notNull())
        .addColumn('actor', text)
        .addColumn('owner_id', text)
        .addColumn('action', text, (column) => column.notNull())
        .addColumn('target', text)
        .addColumn('outcome', text, (column) => column.notNull())
        .addColumn('ip', text)
        .addColumn('request_id', text)
        .addColumn('value_digest', bytes)
        .addColumn('key_id', text, (column) => column.notNull())
        .addColumn('mac', bytes, (column) => column.notNull())
        .modifyEnd(strict)
        .execute();
      await sql`
        create index audit_events_actor on audit_events (actor, seq) where actor is not null
      `.execute(db);
      await sql`
        create index audit_events_owner on audit_events (owner_id, seq) where owner_id is not null
      `.execute(db);
      await sql`
        create index audit_events_value on audit_events (value_digest) where value_digest is not null
      `.execute(db);
      await schema
        .createTable('audit_head')
        .addColumn('id', 'integer', (column) => column.primaryKey().check(sql`id = 1`))
        .addColumn('seq', long, (column) => column.notNull())
        .addColumn('mac', bytes, (column) => column.notNull())
        .addColumn('key_id', text)
        .addColumn('head_mac', bytes)
        .modifyEnd(strict)
        .execute();
      await sql`insert into audit_head (id, seq, mac) values (1, 0, ${Buffer.alloc(MAC_BYTES)})`.execute(db);
    },
  };
}
