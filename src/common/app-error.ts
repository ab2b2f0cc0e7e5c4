import { type ErrorCode, problemCatalogue } from './problem-catalogue.js';

/** One bad field of a request: a JSON pointer (RFC 6901) and what would be accepted. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/**
 * What can happen to an honest caller. The message reaches the caller as `detail`, so it holds no
 * secret value; the code decides the HTTP status in `problem-catalogue.ts`.
 */
export abstract class AppError extends Error {
  readonly errors?: readonly FieldError[];
  /** Response header fields that belong to the error, such as `Retry-After` in seconds. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the problem document (RFC 9457, section 3.2). */
  readonly extensions?: Readonly<Record<string, string | number>>;

  /** @param options - `detail` instead of the catalogue's; `cause` is logged and never shown */
  constructor(
    readonly code: ErrorCode,
    options: { readonly detail?: string; readonly cause?: unknown } = {},
  ) {
    super(options.detail ?? problemCatalogue[code].detail, options);
  }
}

export class ValidationError extends AppError {
  constructor(override readonly errors: readonly FieldError[]) {
    super('ERR_VALIDATION');
  }
}

export class NotFoundError extends AppError {
  constructor() {
    super('ERR_NOT_FOUND');
  }
}

/** The caller is known and lacks the permission. */
export class ForbiddenError extends AppError {
  constructor() {
    super('ERR_FORBIDDEN');
  }
}

/** The account that something is done for is deleted by now: the request came in before that, and wrote nothing. */
export class OwnerDeletedError extends AppError {
  constructor(cause?: unknown) {
    super('ERR_UNAUTHENTICATED', { cause });
  }
}
