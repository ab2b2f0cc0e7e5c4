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
  abstract readonly code: ErrorCode;
  readonly errors?: readonly FieldError[];
  /** Response header fields that belong to the error, such as `Retry-After` in seconds. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the problem document (RFC 9457, section 3.2). */
  readonly extensions?: Readonly<Record<string, string>>;
}

export class ValidationError extends AppError {
  override readonly code = 'ERR_VALIDATION';

  constructor(override readonly errors: readonly FieldError[]) {
    super(problemCatalogue.ERR_VALIDATION.detail);
  }
}

export class NotFoundError extends AppError {
  override readonly code = 'ERR_NOT_FOUND';

  constructor() {
    super(problemCatalogue.ERR_NOT_FOUND.detail);
  }
}
