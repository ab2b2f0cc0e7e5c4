import { AppError } from '../common/app-error.js';

/** The audit log can't be written, so what it had to tell of did not happen. */
export class AuditUnavailableError extends AppError {
  override readonly headers = { 'Retry-After': '5' };

  constructor(cause: unknown) {
    super('ERR_UNAVAILABLE', { cause });
  }
}
