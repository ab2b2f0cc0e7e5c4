import { type DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type QueryResult } from 'kysely';
import { OwnerDeletedError } from '../common/app-error.js';
import { DatabaseUnavailableError, KeyEndedError } from './errors.js';

const MAX_PREPARED_STATEMENTS = 256;

/** SQLite's primary result codes for "not now": BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN. */
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([5, 6, 8, 10, 13, 14]);
/** SQLite's extended result code CONSTRAINT_FOREIGNKEY: what a row belongs to, in the end an account, is deleted. */
const FOREIGN_KEY_CODE = 787;
/** SQLite's extended result code CONSTRAINT_TRIGGER: what a row was encrypted under has ended. */
const TRIGGER_CODE = 1811;

interface PreparedStatement {
  readonly statement: StatementSync;
  /** The names of the columns of its rows; none for a statement that returns no rows. */
  readonly columns: readonly string[];
}

/** One handle and its prepared statements, oldest out first. */
export class StatementCache {
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(private readonly handle: DatabaseSync) {}

  execute<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    try {
      const { statement, columns } = this.#prepare(sql);
      const values = parameters as SQLInputValue[];
      if (columns.length > 0) {
        const rows = statement.all(...values) as unknown as unknown[][];
        return { rows: rows.map((row) => toRow(columns, row) as R) };
      }
      const { changes } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes) };
    } catch (error) {
      throw translated(error);
    }
  }

  close(): void {
    this.#statements.clear();
    this.handle.close();
  }

  #prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.handle.prepare(sql);
    statement.setReturnArrays(true);
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) };
    const oldest = this.#statements.keys().next();
    if (this.#statements.size >= MAX_PREPARED_STATEMENTS && !oldest.done)
      this.#statements.delete(oldest.value);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** The driver's own row objects have no hidden class: making and reading one takes twice as long. */
function toRow(columns: readonly string[], values: readonly unknown[]): object {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index++) row[columns[index] ?? ''] = values[index];
  return row;
}

function translated(error: unknown): unknown {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) : 0;
  if (UNAVAILABLE_CODES.has(code & 0xff)) return new DatabaseUnavailableError(error);
  if (code === TRIGGER_CODE) return new KeyEndedError(error);
  return code === FOREIGN_KEY_CODE ? new OwnerDeletedError(error) : error;
}
