import { AppError } from '../common/app-error.js';
import { problemCatalogue } from '../common/problem-catalogue.js';

/** The database can't be reached or can't write. Nothing was changed; the caller may try again. */
export class DatabaseUnavailableError extends AppError {
  override readonly code = 'ERR_UNAVAILABLE';
  override readonly headers = { 'Retry-After': '5' };

  constructor(cause: unknown) {
    super(problemCatalogue.ERR_UNAVAILABLE.detail, { cause });
  }
}
