import { STATUS_CODES } from 'node:http';
import { AppError, type FieldError } from './app-error.js';
import { type ErrorCode, problemCatalogue } from './problem-catalogue.js';
import { ApiProperty, ApiPropertyOptional } from './openapi.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The body of every answer that isn't a success (RFC 9457). */
export class ProblemDetails {
  @ApiProperty({ example: 'about:blank', description: 'no further semantics than the status: see `code`' })
  readonly type: string = 'about:blank';

  @ApiProperty({ description: 'the reason phrase of the status' })
  readonly title: string;

  @ApiProperty({ type: 'integer', description: 'the HTTP status' })
  readonly status: number;

  @ApiPropertyOptional()
  readonly detail: string;

  @ApiProperty({ enum: Object.keys(problemCatalogue), description: 'stable, for programs' })
  readonly code: ErrorCode;

  @ApiProperty({ format: 'uuid', description: 'the request id, also in X-Request-Id and in the log' })
  readonly instance: string;

  @ApiPropertyOptional({
    type: 'array',
    items: {
      type: 'object',
      properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      required: ['pointer', 'detail'],
    },
    description: 'one entry a bad field: a JSON pointer and what would be accepted',
  })
  readonly errors?: readonly FieldError[];

  @ApiPropertyOptional({ description: 'of the version of a secret that was asked for' })
  readonly state?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'the first event of the audit log that is not as it was written',
  })
  readonly seq?: number;

  constructor(code: ErrorCode, requestId: string, detail: string = problemCatalogue[code].detail) {
    const { status } = problemCatalogue[code];
    this.title = STATUS_CODES[status] ?? 'Error';
    this.status = status;
    this.detail = detail;
    this.code = code;
    this.instance = requestId;
  }
}

export interface Problem {
  readonly body: ProblemDetails;
  readonly headers: Readonly<Record<string, string>>;
}

/** The problem document of an error that an honest caller can meet. */
export function problemOfError(error: AppError, requestId: string): Problem {
  const { code, message, errors, extensions } = error;
  const body = new ProblemDetails(code, requestId, message);
  return {
    body: Object.assign(body, extensions, errors && { errors }),
    headers: { ...headersOf(error.code), ...error.headers },
  };
}

/** The problem document of a bare code, for what the framework refuses by itself. */
export function problemOfCode(code: ErrorCode, requestId: string): Problem {
  return { body: new ProblemDetails(code, requestId), headers: headersOf(code) };
}

const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'ERR_MALFORMED_REQUEST',
  401: 'ERR_UNAUTHENTICATED',
  403: 'ERR_FORBIDDEN',
  404: 'ERR_NOT_FOUND',
  405: 'ERR_METHOD_NOT_ALLOWED',
  408: 'ERR_REQUEST_TIMEOUT',
  413: 'ERR_BODY_TOO_LARGE',
  414: 'ERR_URI_TOO_LONG',
  415: 'ERR_UNSUPPORTED_MEDIA_TYPE',
  431: 'ERR_HEADERS_TOO_LARGE',
  503: 'ERR_UNAVAILABLE',
};

/** The code of an error that the framework describes by status alone. */
export function codeOfStatus(status: number): ErrorCode {
  return codesByStatus[status] ?? (status >= 400 && status < 500 ? 'ERR_MALFORMED_REQUEST' : 'ERR_INTERNAL');
}

function headersOf(code: ErrorCode): Record<string, string> {
  const { status } = problemCatalogue[code];
  // RFC 6750, section 3: the challenge of a protected resource.
  if (status === 401) return { 'WWW-Authenticate': 'Bearer' };
  return status === 503 ? { 'Retry-After': '1' } : {};
}
