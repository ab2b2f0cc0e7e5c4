import { AppError } from '../common/app-error.js';

/** The database can't be reached or can't write. Nothing was changed; the caller may try again. */
export class DatabaseUnavailableError extends AppError {
  override readonly headers = { 'Retry-After': '5' };

  constructor(cause: unknown) {
    super('ERR_UNAVAILABLE', { cause });
  }
}
