import { parsePostgresUrl } from '../common/postgres-url.js';
import { StartError } from '../common/start-error.js';
import { Database } from './database.js';
import { reasonOf } from './errors.js';
import { openSqlite } from './open-sqlite.js';

export interface DatabaseLocation {
  /** `postgres://…`, or `sqlite:` and a path. */
  readonly url: string;
  /** Whether a SQLite file is made where there is none. */
  readonly creates: boolean;
  readonly onIdleError: (error: Error) => void;
}

/**
 * Opens the database and makes sure that it answers.
 *
 * @throws {StartError} when the file is missing, damaged, locked or can't be opened, or the server can't be reached
 */
export async function openDatabase({ url, creates, onIdleError }: DatabaseLocation): Promise<Database> {
  return url.startsWith('sqlite:')
    ? openSqlite(url.slice('sqlite:'.length), creates)
    : openPostgres(url, onIdleError);
}

async function openPostgres(url: string, onIdleError: (error: Error) => void): Promise<Database> {
  // The driver is loaded only where it is used: SQLite starts without it.
  const { postgresDialect } = await import('./postgres-dialect.js');
  const database = new Database('postgres', postgresDialect(url, onIdleError));
  try {
    await database.ping();
  } catch (error) {
    await database.close();
    throw new StartError(
      `database ${nameOf(url)} cannot be reached (${reasonOf(error)}): check DATABASE_URL and that it runs`,
      { cause: error },
    );
  }
  return database;
}

/** Host and name, and never the password. */
function nameOf(text: string): string {
  const url = parsePostgresUrl(text);
  return url ? url.host + url.pathname : 'in DATABASE_URL';
}
