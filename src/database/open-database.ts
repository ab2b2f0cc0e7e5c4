import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { Database } from './database.js';
import { SqliteFile } from './sqlite-file.js';

/** Files up to this size are checked page by page at start; that takes well under half a second. */
const CHECKED_FILE_BYTES = 64 * 1024 * 1024;

export interface DatabaseLocation {
  /** `postgres://…`, or `sqlite:` and a path. */
  readonly url: string;
  readonly onIdleError: (error: Error) => void;
}

/**
 * Opens the database and makes sure that it answers.
 *
 * @throws {StartError} when the file is damaged or can't be opened, or the server can't be reached
 */
export async function openDatabase({ url, onIdleError }: DatabaseLocation): Promise<Database> {
  return url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url, onIdleError);
}

async function openSqlite(file: string): Promise<Database> {
  let bytes: number;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Created here so that it is private from its first moment; the WAL beside it inherits the mode.
    closeSync(openSync(file, 'a', 0o600));
    bytes = statSync(file).size;
  } catch (error) {
    throw new StartError(
      `database ${file} cannot be opened (${reason(error)}): check its path and permissions`,
      {
        cause: error,
      },
    );
  }
  let database: Database | undefined;
  try {
    const sqlite = new SqliteFile(file);
    database = new Database('sqlite', sqlite.dialect(), sqlite);
    if (bytes <= CHECKED_FILE_BYTES) {
      const { rows } = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(database.query);
      if (rows[0]?.quick_check !== 'ok') throw new Error('quick_check failed');
    }
    return database;
  } catch (error) {
    await database?.close();
    throw new StartError(`database ${file} is damaged or not a SQLite database: restore it from a backup`, {
      cause: error,
    });
  }
}

async function openPostgres(url: string, onIdleError: (error: Error) => void): Promise<Database> {
  // The driver is loaded only where it is used: SQLite starts without it.
  const { postgresDialect } = await import('./postgres-dialect.js');
  const database = new Database('postgres', postgresDialect(url, onIdleError));
  try {
    await database.ping();
  } catch (error) {
    await database.close();
    const { host, pathname } = new URL(url);
    throw new StartError(
      `database ${host}${pathname} cannot be reached (${reason(error)}): check DATABASE_URL and that it runs`,
      { cause: error },
    );
  }
  return database;
}

/** The code of the innermost cause. Its message could repeat the URL with the password. */
function reason(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return reason(error.cause);
  return errorCode(error) ?? 'no answer';
}
