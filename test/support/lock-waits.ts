import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Database } from '../../src/database/database.js';
import { type TestDatabase } from './test-database.js';

const SQLITE_BUSY = 5;

/**
 * Resolves with `waiting` once somebody is held up by a transaction that is open. SQLite has one writer at a time: there
 * whoever tries next is told at once, and `free` says that nobody was.
 */
export async function whenSomeoneWaits(
  database: Database,
  testDatabase: TestDatabase,
): Promise<'waiting' | 'free'> {
  if (database.kind === 'sqlite') return tryToWrite(testDatabase.file);
  const waiting = sql`
    select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  `;
  while ((await waiting.execute(database.query)).rows.length === 0) await setImmediate();
  return 'waiting';
}

/** As another process. */
function tryToWrite(file: string): 'waiting' | 'free' {
  const other = new DatabaseSync(file, { timeout: 0 });
  try {
    other.exec('begin immediate');
    return 'free';
  } catch (error) {
    // The runtime's own errors are no instances of the `Error` that Jest gives a test.
    if ((error as { readonly errcode?: number }).errcode === SQLITE_BUSY) return 'waiting';
    throw error;
  } finally {
    other.close();
  }
}
