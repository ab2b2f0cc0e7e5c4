import { AppError } from '../common/app-error.js';

/** The audit log can't be written, so what it had to tell of did not happen. */
export class AuditUnavailableError extends AppError {
  override readonly headers = { 'Retry-After': '5' };

  constructor(cause: unknown) {
    super('ERR_UNAVAILABLE', { cause });
  }
}

/** Somebody other than the server changed the audit log. */
export class AuditBrokenError extends AppError {
  override readonly extensions: { readonly seq: number };

  /** @param seq - the first event that isn't as it was written, or isn't there */
  constructor(seq: number, fault: string) {
    super('ERR_AUDIT_BROKEN', { detail: `event ${seq} ${fault}` });
    this.extensions = { seq };
  }
}
