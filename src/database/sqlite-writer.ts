import { type DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { type QueryResult } from 'kysely';
import { DatabaseUnavailableError } from './errors.js';
import { Lock } from './lock.js';
import { StatementCache } from './statement-cache.js';

const BUSY_TIMEOUT_MS = 5_000;
const BUSY_RETRY_MS = 2;
/** SQLite's primary result code: another connection writes. */
const SQLITE_BUSY = 5;

/** A transaction that has ended and whose caller waits until it is on the disk. */
interface Ended {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one writing connection, with group commit. Transactions run one at a time, each under a savepoint of
 * one SQLite transaction that all share which end in the same turn of the event loop: one wait for the disk
 * instead of one each. Nobody is told of a commit before it is on the disk, and when that fails all are told.
 */
export class SqliteWriter {
  readonly #statements: StatementCache;
  readonly #lock = new Lock();
  #ended: Ended[] = [];
  #isOpen = false;

  /** @param beforeCommit - ends what is being read: called in the same turn as a commit, so that all see what is new */
  constructor(
    private readonly handle: DatabaseSync,
    private readonly beforeCommit: () => void,
  ) {
    this.#statements = new StatementCache(handle);
  }

  /** Begins a transaction as soon as the one before it has ended. */
  async begin(): Promise<void> {
    await this.#lock.acquire();
    try {
      await this.#open();
      this.#statements.execute('savepoint transaction_of_group', []);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  /** Resolves when what the transaction wrote is on the disk. */
  async commit(): Promise<void> {
    try {
      this.#statements.execute('release transaction_of_group', []);
    } catch (error) {
      this.rollback();
      throw error;
    }
    return this.#whenDurable();
  }

  rollback(): void {
    try {
      // An error such as a full disk has undone the whole group already.
      if (this.handle.isTransaction) {
        this.#statements.execute('rollback to transaction_of_group', []);
        this.#statements.execute('release transaction_of_group', []);
      }
    } finally {
      this.#lock.release();
    }
  }

  /** A statement of the transaction that runs now. */
  execute<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    // Outside the transaction that an error has undone, a statement would commit by itself.
    if (!this.handle.isTransaction) throw undone();
    return this.#statements.execute<R>(sql, parameters);
  }

  /** A statement that is a transaction of its own. */
  async executeAlone<R>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    await this.#lock.acquire();
    let result: QueryResult<R>;
    try {
      await this.#open();
      result = this.#statements.execute<R>(sql, parameters);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    await this.#whenDurable();
    return result;
  }

  /**
   * Brings the write-ahead log into the file and cuts it off: what was overwritten or deleted still stands in it. While
   * another process reads, that is left to the next time.
   */
  async truncateLog(): Promise<void> {
    await this.#lock.acquire();
    try {
      this.#flush();
      this.beforeCommit();
      this.#statements.execute('pragma wal_checkpoint(truncate)', []);
    } finally {
      this.#lock.release();
    }
  }

  async close(): Promise<void> {
    await this.#lock.acquire();
    this.#flush();
    this.#statements.close();
  }

  async #open(): Promise<void> {
    if (this.#isOpen && !this.handle.isTransaction) this.#fail(undone());
    if (this.#isOpen) return;
    await this.#begin();
    this.#isOpen = true;
    setImmediate(() => void this.#commitGroup());
  }

  /** Waits for another process's transaction without stopping everything else, as SQLite's own waiting would. */
  async #begin(): Promise<void> {
    const givesUpAtMs = performance.now() + BUSY_TIMEOUT_MS;
    for (;;) {
      try {
        // IMMEDIATE takes the write lock now: a later upgrade could fail as busy half-way.
        this.#statements.execute('begin immediate', []);
        return;
      } catch (error) {
        if (!isBusy(error) || performance.now() >= givesUpAtMs) throw error;
        await delay(BUSY_RETRY_MS);
      }
    }
  }

  /** Lets the next transaction in and waits for the group. */
  #whenDurable(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ended.push({ resolve, reject });
      this.#lock.release();
    });
  }

  async #commitGroup(): Promise<void> {
    // Whoever waits for the writer by now goes first and joins the group; later ones begin the next.
    await this.#lock.acquire();
    this.#flush();
    this.#lock.release();
  }

  #flush(): void {
    if (!this.#isOpen) return;
    try {
      if (!this.handle.isTransaction) throw undone();
      this.beforeCommit();
      this.#statements.execute('commit', []);
      this.#isOpen = false;
      for (const { resolve } of this.#ended.splice(0)) resolve();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#isOpen = false;
    try {
      if (this.handle.isTransaction) this.#statements.execute('rollback', []);
    } finally {
      for (const { reject } of this.#ended.splice(0)) reject(error);
    }
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof DatabaseUnavailableError)) return false;
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'errcode' in cause && cause.errcode === SQLITE_BUSY;
}

/** SQLite undoes the whole transaction by itself after some errors, such as a disk that can't be written. */
function undone(): DatabaseUnavailableError {
  return new DatabaseUnavailableError(new Error('the transaction was undone by an earlier error'));
}
