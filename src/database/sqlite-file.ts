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
import { type DirectReader } from './database.js';
import { StatementCache } from './statement-cache.js';

const BUSY_TIMEOUT_MS = 5_000;

/**
 * A SQLite file under two connections: writes and transactions queue for the writer, plain reads go to
 * the reader at once and see what is committed, so no read waits for a transaction and none sees its
 * unfinished half.
 */
export class SqliteFile implements DirectReader {
  readonly #writer: StatementCache;
  readonly #reader: StatementCache;

  constructor(file: string) {
    const writer = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    this.#writer = new StatementCache(writer);
    // FULL: a commit is on the disk before the caller hears of it.
    writer.exec('pragma journal_mode = wal; pragma synchronous = full');
    this.#reader = new StatementCache(new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true }));
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
  readonly #lock = new Lock();

  constructor(
    private readonly writer: StatementCache,
    private readonly reader: StatementCache,
  ) {}

  async init(): Promise<void> {
    // The file is open already, so that a fault shows at start and not at the first query.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteConnection(this.writer, this.reader, this.#lock);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await asSqlite(connection).begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    asSqlite(connection).end('commit');
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    asSqlite(connection).end('rollback');
  }

  async releaseConnection(): Promise<void> {
    // Connections are views of the two handles; transactions release the lock when they end.
  }

  async destroy(): Promise<void> {
    this.reader.close();
    this.writer.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  #inTransaction = false;

  constructor(
    private readonly writer: StatementCache,
    private readonly reader: StatementCache,
    private readonly lock: Lock,
  ) {}

  async begin(): Promise<void> {
    await this.lock.acquire();
    try {
      // IMMEDIATE takes the write lock now: a later upgrade could fail as busy half-way.
      this.writer.execute('begin immediate', []);
      this.#inTransaction = true;
    } catch (error) {
      this.lock.release();
      throw error;
    }
  }

  end(command: 'commit' | 'rollback'): void {
    // A failed commit leaves the transaction open, and Kysely follows it with a rollback.
    if (!this.#inTransaction) return;
    this.writer.execute(command, []);
    this.#inTransaction = false;
    this.lock.release();
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#inTransaction) return this.writer.execute<R>(query.sql, query.parameters);
    if (query.query.kind === 'SelectQueryNode') return this.reader.execute<R>(query.sql, query.parameters);
    await this.lock.acquire();
    try {
      return this.writer.execute<R>(query.sql, query.parameters);
    } finally {
      this.lock.release();
    }
  }

  // eslint-disable-next-line require-yield -- required by the interface
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported on SQLite: page with a cursor');
  }
}

/** Lets one transaction at a time use the writer, first come first served. */
class Lock {
  #isHeld = false;
  readonly #waiting: (() => void)[] = [];

  async acquire(): Promise<void> {
    if (!this.#isHeld) {
      this.#isHeld = true;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#isHeld = false;
  }
}

function asSqlite(connection: DatabaseConnection): SqliteConnection {
  if (connection instanceof SqliteConnection) return connection;
  throw new TypeError('not a connection of this driver');
}
