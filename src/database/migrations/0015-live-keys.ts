import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

interface KeyedColumn {
  readonly table: string;
  readonly column: string;
  /** Whose row it is; null where the row is the owner's own. */
  readonly owner: RawBuilder<unknown> | null;
  /** The key that the column names; `new` is the row. */
  readonly key: RawBuilder<unknown>;
  /** When it names one. */
  readonly when: RawBuilder<unknown>;
}

/** SQLSTATE of a class that is nobody else's. */
export const KEY_ENDED = 'KE001';

/** No row is written under a key that has ended, whatever its writer remembers of the key and how long it waited. */
export function liveKeys(kind: DatabaseKind): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const column of keyedColumns(kind)) {
        const guard = kind === 'sqlite' ? guardInSqlite(column) : guardInPostgres(column);
        for (const statement of guard) await statement.execute(db);
      }
    },
  };
}

export function keyedColumns(kind: DatabaseKind): readonly KeyedColumn[] {
  return [
    byId('contacts', 'key_id', OWNER),
    byId('users', 'email_key_id', null),
    byId('users', 'password_key_id', null),
    byId('totp_factors', 'seed_key_id', sql`new.user_id`),
    byId('secret_versions', 'key_id', sql`(select owner_id from secrets where id = new.secret_id)`),
    byId('shares', 'key_id', OWNER),
    byId('shares', 'passphrase_key_id', OWNER),
    byVersion(kind, 'contacts', OWNER),
    byVersion(kind, 'users', null),
  ];
}

/** Empty once the value is destroyed. */
function byId(table: string, column: string, owner: KeyedColumn['owner']): KeyedColumn {
  const id = sql`new.${sql.ref(column)}`;
  return { table, column, owner, key: sql`id = ${id}`, when: sql`${id} <> ''` };
}

/** An index has 20 bytes, of which the first 4 are the version of its key, big-endian. */
function byVersion(kind: DatabaseKind, table: string, owner: KeyedColumn['owner']): KeyedColumn {
  const version =
    kind === 'sqlite'
      ? sql`printf('%08X', version) = hex(substr(new.email_index, 1, 4))`
      : sql`lpad(to_hex(version), 8, '0') = encode(substr(new.email_index, 1, 4), 'hex')`;
  return {
    table,
    column: 'email_index',
    owner,
    key: sql`owner_id = ${owner ?? sql`'system'`} and purpose = 'blind-index' and ${version}`,
    when: sql`length(new.email_index) = 20`,
  };
}

const OWNER = sql`new.owner_id`;
const alive = sql`state in ('PRIMARY', 'DECRYPT_ONLY')`;

/** @param also - another condition of a refusal */
export function guardInSqlite(
  { table, column, key, when }: KeyedColumn,
  also: RawBuilder<unknown> = sql`true`,
): RawBuilder<unknown>[] {
  const events = { insert: sql`insert`, update: sql`update of ${sql.ref(column)}` };
  return (['insert', 'update'] as const).map(
    (event) => sql`
      create trigger ${sqliteGuardName({ table, column }, event)} before ${events[event]} on ${sql.table(table)}
      when ${when} and not exists (select 1 from keys where ${key} and ${alive}) and ${also}
      begin select raise(abort, 'the key has ended'); end
    `,
  );
}

export function sqliteGuardName(
  { table, column }: Pick<KeyedColumn, 'table' | 'column'>,
  event: 'insert' | 'update',
): RawBuilder<unknown> {
  return sql.ref(`${table}_${column}_${event}`);
}

/**
 * The key is locked: who ends it waits for the writer, and counts what was written. Its owner is locked first, as
 * whoever deletes them does, or the two would wait for each other; of who is gone, the foreign key tells.
 */
function guardInPostgres({ table, column, owner, key, when }: KeyedColumn): RawBuilder<unknown>[] {
  const name = sql.ref(`${table}_${column}_guard`);
  const hold = owner
    ? sql`
          perform 1 from users where id = ${owner} for key share;
          if not found then return new; end if;`
    : sql``;
  return [
    sql`
      create function ${name}() returns trigger language plpgsql set search_path from current as $$
      begin
        if ${when} then ${hold}
          perform 1 from keys where ${key} and ${alive} for share;
          if not found then
            raise exception 'the key has ended' using errcode = '${sql.raw(KEY_ENDED)}';
          end if;
        end if;
        return new;
      end $$
    `,
    sql`
      create trigger ${name} before insert or update of ${sql.ref(column)} on ${sql.table(table)}
      for each row execute function ${name}()
    `,
  ];
}
