import { type DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type QueryResult } from 'kysely';
import { DatabaseUnavailableError } from './errors.js';

const MAX_PREPARED_STATEMENTS = 256;

/** SQLite's primary result codes for "not now": BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN. */
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([5, 6, 8, 10, 13, 14]);

/** One handle and its prepared statements, oldest out first. */
export class StatementCache {
  readonly #statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>();

  constructor(private readonly handle: DatabaseSync) {}

  execute<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    try {
      const { statement, returnsRows } = this.#prepare(sql);
      const values = parameters as SQLInputValue[];
      if (returnsRows) return { rows: statement.all(...values) as R[] };
      const { changes } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes) };
    } catch (error) {
      throw isUnavailable(error) ? new DatabaseUnavailableError(error) : error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.handle.close();
  }

  #prepare(sql: string): { statement: StatementSync; returnsRows: boolean } {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.handle.prepare(sql);
    const prepared = { statement, returnsRows: statement.columns().length > 0 };
    const oldest = this.#statements.keys().next();
    if (this.#statements.size >= MAX_PREPARED_STATEMENTS && !oldest.done)
      this.#statements.delete(oldest.value);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

function isUnavailable(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) : 0;
  return UNAVAILABLE_CODES.has(code & 0xff);
}
