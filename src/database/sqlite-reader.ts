import { type DatabaseSync } from 'node:sqlite';
import { type QueryResult } from 'kysely';
import { StatementCache } from './statement-cache.js';

/**
 * The one reading connection. The reads of one turn of the event loop share one snapshot: taking and
 * giving up SQLite's lock for each would cost a third of a point read. It ends with the turn, and before
 * that when this process is about to commit: whoever was told of a write sees it, and a checkpoint that
 * comes with the commit finds no reader in its way.
 */
export class SqliteReader {
  readonly #statements: StatementCache;
  #hasSnapshot = false;

  constructor(handle: DatabaseSync) {
    this.#statements = new StatementCache(handle);
  }

  execute<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    if (!this.#hasSnapshot) this.#beginSnapshot();
    return this.#statements.execute<R>(sql, parameters);
  }

  endSnapshot(): void {
    if (!this.#hasSnapshot) return;
    this.#hasSnapshot = false;
    this.#statements.execute('commit', []);
  }

  close(): void {
    this.#hasSnapshot = false;
    this.#statements.close();
  }

  #beginSnapshot(): void {
    this.#statements.execute('begin', []);
    this.#hasSnapshot = true;
    setImmediate(() => this.endSnapshot());
  }
}
