import { AppError } from '../common/app-error.js';

/** Nothing after such a request can be trusted: who sent it and who forwards it may read it differently. */
const CLOSE = { Connection: 'close' };

/** The request line, the framing or the Host is not what HTTP/1.1 allows. */
export class MalformedRequestError extends AppError {
  override readonly headers = CLOSE;

  constructor() {
    super('ERR_MALFORMED_REQUEST');
  }
}

/** The request is for another host: a browser whose DNS was rebound, or a proxy that is set up wrongly. */
export class MisdirectedRequestError extends AppError {
  override readonly headers = CLOSE;

  constructor() {
    super('ERR_MISDIRECTED_REQUEST');
  }
}

/** What is left of the body isn't read. */
export class BodyTooLargeError extends AppError {
  override readonly headers = CLOSE;

  constructor() {
    super('ERR_BODY_TOO_LARGE');
  }
}

export class UriTooLongError extends AppError {
  constructor() {
    super('ERR_URI_TOO_LONG');
  }
}

export class TooManyFieldsError extends AppError {
  override readonly headers = CLOSE;

  constructor() {
    super('ERR_HEADERS_TOO_LARGE');
  }
}

/** The process stops: the caller's next connection reaches another instance or the next start. */
export class StoppingError extends AppError {
  override readonly headers = { ...CLOSE, 'Retry-After': '5' };

  constructor() {
    super('ERR_UNAVAILABLE');
  }
}

/** As many requests as the server takes are in flight. */
export class OverloadedError extends AppError {
  constructor() {
    super('ERR_OVERLOADED');
  }
}

export class TooManyRequestsError extends AppError {
  override readonly headers: Readonly<Record<string, string>>;

  constructor(retryAfterSeconds: number) {
    super('ERR_RATE_LIMITED');
    this.headers = { 'Retry-After': String(retryAfterSeconds) };
  }
}
