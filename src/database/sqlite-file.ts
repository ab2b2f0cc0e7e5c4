import { DatabaseSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type DirectConnection } from './direct-connection.js';
import { SqliteReader } from './sqlite-reader.js';
import { SqliteWriter } from './sqlite-writer.js';

const BUSY_TIMEOUT_MS = 5_000;
/** A connection. SQLite's own 2 MB hold hardly more than the pages of one long list; reading one again is a system call. */
const CACHE_KIB = 16_384;

/**
 * A SQLite file under two connections: writes and transactions queue for the writer, plain reads go to
 * the reader at once and see what is committed, so no read waits for a transaction and none sees its
 * unfinished half.
 */
export class SqliteFile implements DirectConnection {
  readonly #writer: SqliteWriter;
  readonly #reader: SqliteReader;

  constructor(file: string) {
    const writer = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    // FULL: a commit is on the disk before the caller hears of it.
    writer.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 0');
    // Without it the bytes of a destroyed key would stand in a free part of the file until something needs the room.
    writer.exec('pragma secure_delete = on');
    // What undoes one statement needs no file: it is dropped when the statement ends.
    writer.exec(`pragma cache_size = -${CACHE_KIB}; pragma temp_store = memory`);
    const reader = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true });
    reader.exec(`pragma cache_size = -${CACHE_KIB}`);
    this.#reader = new SqliteReader(reader);
    this.#writer = new SqliteWriter(writer, () => this.#reader.endSnapshot());
  }

  /** Kysely over this file. */
  dialect(): Dialect {
    return {
      createAdapter: () => new TransactionalSqliteAdapter(),
      createDriver: () => new SqliteDriver(this.#writer, this.#reader),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    };
  }

  read(sql: string, parameters: readonly unknown[]): unknown[] {
    return this.#reader.execute(sql, parameters).rows;
  }

  write(sql: string, parameters: readonly unknown[]): unknown[] {
    return this.#writer.execute(sql, parameters).rows;
  }

  scrub(): Promise<void> {
    return this.#writer.truncateLog();
  }
}

/** SQLite can undo DDL. Kysely leaves that off; with it on, a migration killed half-way leaves nothing. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** Otherwise Kysely would let one query at a time through, and a read would wait for a transaction. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  constructor(
    private readonly writer: SqliteWriter,
    private readonly reader: SqliteReader,
  ) {}

  async init(): Promise<void> {
    // The file is open already, so that a fault shows at start and not at the first query.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteConnection(this.writer, this.reader);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await asSqlite(connection).begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await asSqlite(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    asSqlite(connection).rollback();
  }

  async releaseConnection(): Promise<void> {
    // Connections are views of the two handles; transactions release the writer when they end.
  }

  async destroy(): Promise<void> {
    this.reader.close();
    await this.writer.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  #inTransaction = false;

  constructor(
    private readonly writer: SqliteWriter,
    private readonly reader: SqliteReader,
  ) {}

  async begin(): Promise<void> {
    await this.writer.begin();
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    this.#inTransaction = false;
    await this.writer.commit();
  }

  /** Does nothing after a failed commit, which Kysely follows with a rollback. */
  rollback(): void {
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    this.writer.rollback();
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#inTransaction) return this.writer.execute<R>(query.sql, query.parameters);
    if (query.query.kind === 'SelectQueryNode') return this.reader.execute<R>(query.sql, query.parameters);
    return this.writer.executeAlone<R>(query.sql, query.parameters);
  }

  // eslint-disable-next-line require-yield -- required by the interface
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported on SQLite: page with a cursor');
  }
}

function asSqlite(connection: DatabaseConnection): SqliteConnection {
  if (connection instanceof SqliteConnection) return connection;
  throw new TypeError('not a connection of this driver');
}
