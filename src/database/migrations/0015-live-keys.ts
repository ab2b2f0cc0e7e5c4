import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

interface KeyedColumn {
  readonly table: string;
  readonly column: string;
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
      for (const column of columns(kind)) {
        const guard = kind === 'sqlite' ? guardInSqlite(column) : guardInPostgres(column);
        for (const statement of guard) await statement.execute(db);
      }
    },
  };
}

function columns(kind: DatabaseKind): readonly KeyedColumn[] {
  return [
    byId('contacts', 'key_id'),
    byId('users', 'email_key_id'),
    byId('users', 'password_key_id'),
    byId('totp_factors', 'seed_key_id'),
    byId('secret_versions', 'key_id'),
    byId('shares', 'key_id'),
    byId('shares', 'passphrase_key_id'),
    byVersion(kind, 'contacts', sql`new.owner_id`),
    byVersion(kind, 'users', sql`'system'`),
  ];
}

/** Empty once the value is destroyed. */
function byId(table: string, column: string): KeyedColumn {
  const id = sql`new.${sql.ref(column)}`;
  return { table, column, key: sql`id = ${id}`, when: sql`${id} <> ''` };
}

/** An index has 20 bytes, of which the first 4 are the version of its key, big-endian. */
function byVersion(kind: DatabaseKind, table: string, owner: RawBuilder<unknown>): KeyedColumn {
  const version =
    kind === 'sqlite'
      ? sql`printf('%08X', version) = hex(substr(new.email_index, 1, 4))`
      : sql`lpad(to_hex(version), 8, '0') = encode(substr(new.email_index, 1, 4), 'hex')`;
  return {
    table,
    column: 'email_index',
    key: sql`owner_id = ${owner} and purpose = 'blind-index' and ${version}`,
    when: sql`length(new.email_index) = 20`,
  };
}

const alive = sql`state in ('PRIMARY', 'DECRYPT_ONLY')`;

function guardInSqlite({ table, column, key, when }: KeyedColumn): RawBuilder<unknown>[] {
  return [sql`insert`, sql`update of ${sql.ref(column)}`].map((event, index) => {
    const name = sql.ref(`${table}_${column}_${index === 0 ? 'insert' : 'update'}`);
    return sql`
      create trigger ${name} before ${event} on ${sql.table(table)}
      when ${when} and not exists (select 1 from keys where ${key} and ${alive})
      begin select raise(abort, 'the key has ended'); end
    `;
  });
}

/** The key is locked: who ends it waits for the writer, and counts what was written. */
function guardInPostgres({ table, column, key, when }: KeyedColumn): RawBuilder<unknown>[] {
  const name = sql.ref(`${table}_${column}_guard`);
  return [
    sql`
      create function ${name}() returns trigger language plpgsql as $$
      begin
        if ${when} then
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
