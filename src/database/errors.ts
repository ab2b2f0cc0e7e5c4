import { AppError } from '../common/app-error.js';
import { errorCode } from '../common/error-code.js';

/** The database can't be reached or can't write. Nothing was changed; the caller may try again. */
export class DatabaseUnavailableError extends AppError {
  override readonly headers = { 'Retry-After': '5' };

  constructor(cause: unknown) {
    super('ERR_UNAVAILABLE', { cause });
  }
}

/** A row was encrypted under a key that ended before it was written. Encrypted anew, it can be. */
export class KeyEndedError extends DatabaseUnavailableError {}

/** Two transactions waited for each other, and this one was undone. It may succeed when it is done again. */
export class TransactionConflictError extends DatabaseUnavailableError {}

/** For operators, in one line. */
export function unusableDatabase(error: DatabaseUnavailableError): string {
  return `the database cannot be used (${reasonOf(error)}): check that it takes writes, has room and nothing locks it`;
}

/** What the driver said of the innermost cause. Its message could repeat the URL with the password. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof Error && 'errstr' in error) return String(error.errstr);
  return errorCode(error) ?? 'no answer';
}
