import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { Database } from './database.js';
import { SqliteFile } from './sqlite-file.js';

/** Files up to this size are checked page by page at start; that takes well under half a second. */
const CHECKED_FILE_BYTES = 64 * 1024 * 1024;
const PRIVATE_MODE = 0o600;

const PERMISSIONS = 'check the permissions of the file, its directory and its -wal and -shm';
const DAMAGED = 'is damaged or not a SQLite database: restore it from a backup';
const LOCKED = 'is locked by another process: stop that';
/** SQLite's primary result codes that an operator can do something about. */
const faults: Readonly<Record<number, string>> = {
  3: `cannot be opened (SQLITE_PERM): ${PERMISSIONS}`,
  5: LOCKED,
  6: LOCKED,
  8: `cannot be opened (SQLITE_READONLY): ${PERMISSIONS}`,
  10: `cannot be opened (SQLITE_IOERR): ${PERMISSIONS}`,
  11: DAMAGED,
  13: 'cannot be written (SQLITE_FULL): make room on its disk',
  14: `cannot be opened (SQLITE_CANTOPEN): ${PERMISSIONS}`,
  26: DAMAGED,
};

/**
 * Opens a SQLite file that nobody else can read, and looks whether it is whole.
 *
 * @param creates - whether the file is made where there is none
 * @throws {StartError} when it is missing, damaged, locked or can't be opened
 */
export async function openSqlite(file: string, creates: boolean): Promise<Database> {
  let database: Database | undefined;
  try {
    const bytes = prepare(file, creates);
    const sqlite = new SqliteFile(file);
    database = new Database('sqlite', sqlite.dialect(), sqlite);
    if (bytes <= CHECKED_FILE_BYTES) await check(database, file);
    return database;
  } catch (error) {
    await database?.close();
    const fault = faultOf(error);
    if (error instanceof StartError || fault === undefined) throw error;
    throw new StartError(`database ${file} ${fault}`, { cause: error });
  }
}

/**
 * Created here so that it is private from its first moment; the files beside it inherit the mode. A copy or a restored
 * backup loses it. What is worth hiding is encrypted, so closing them is enough, as with the keys of development.
 *
 * @returns its size in bytes
 */
function prepare(file: string, creates: boolean): number {
  // The mode of a device is the whole machine's, and a pipe would wait for a reader.
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new StartError(`database ${file} is no regular file: correct DATABASE_URL`);
  if (creates) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, creates ? 'a' : 'r+', PRIVATE_MODE));
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    const status = statSync(each, { throwIfNoEntry: false });
    if (status?.isFile() === true && (status.mode & 0o077) !== 0) chmodSync(each, PRIVATE_MODE);
  }
  return statSync(file).size;
}

async function check(database: Database, file: string): Promise<void> {
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(database.query);
  if (rows[0]?.quick_check !== 'ok') throw new StartError(`database ${file} ${DAMAGED}`);
}

/** What is wrong, or undefined for what no operator can mend. */
function faultOf(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'errcode' in error)
    return faults[Number(error.errcode) & 0xff];
  if (error instanceof Error && error.cause !== undefined) return faultOf(error.cause);
  const code = errorCode(error);
  if (code === 'ENOENT') return 'does not exist: correct DATABASE_URL, or run `npm run cli -- db migrate`';
  return code === undefined ? undefined : `cannot be opened (${code}): ${PERMISSIONS}`;
}
