import { type IncomingMessage } from 'node:http';
import { type AppError } from '../common/app-error.js';
import { UnsupportedMediaTypeError } from '../common/merge-patch.js';
import {
  BodyTooLargeError,
  MalformedRequestError,
  MisdirectedRequestError,
  TooManyFieldsError,
  UriTooLongError,
} from './errors.js';
import { BODY_LIMIT_BYTES, HEADER_FIELDS_LIMIT, URL_LIMIT_BYTES } from './limits.js';
import { type PublicHosts } from './public-hosts.js';

const SLASH = 0x2f;
/** Of an absolute target the scheme's last letter and the authority. A slash in a query without a path is a path to some: none may stand there. */
const ABSOLUTE_TARGET = /^http(s?):\/\/([^/?#]*)(?:$|\/|\?[^/]*$)/i;

/**
 * What Node's parser lets through and we don't. It reads duplicate fields as one, joined by commas
 * (`joinDuplicateHeaders`), so a second Host or Transfer-Encoding is no allowed value.
 */
export class RequestChecks {
  /** @param isPlain - whether absolute targets may be of plain HTTP too, as they are on its port */
  constructor(
    private readonly hosts: PublicHosts,
    private readonly isPlain = false,
  ) {}

  /** The first thing wrong with the request, before anybody looks at what it asks for. */
  refusal(request: IncomingMessage): AppError | undefined {
    const { headers, rawHeaders, url = '', httpVersionMajor } = request;
    if (httpVersionMajor !== 1 || headers.host === undefined) return new MalformedRequestError();
    // Names and values. Node would drop fields above a limit of its own without a word.
    if (rawHeaders.length > 2 * HEADER_FIELDS_LIMIT) return new TooManyFieldsError();
    if (url.length > URL_LIMIT_BYTES) return new UriTooLongError();
    if (!this.hosts.includes(headers.host)) return refusedHost(headers.host);
    const refusedTarget = url.charCodeAt(0) === SLASH ? undefined : this.#refusedTarget(request);
    return refusedTarget ?? refusedBody(request);
  }

  /** Of the other forms (RFC 9112, section 3.2) an absolute one of our own, and `*` for the server as a whole. */
  #refusedTarget({ url = '', method }: IncomingMessage): AppError | undefined {
    if (url === '*' && method === 'OPTIONS') return undefined;
    const [, secure, authority] = ABSOLUTE_TARGET.exec(url) ?? [];
    if (authority === undefined || (secure === '' && !this.isPlain)) return new MalformedRequestError();
    return this.hosts.includes(authority) ? undefined : new MisdirectedRequestError();
  }
}

function refusedHost(host: string): AppError {
  return host.includes(',') || host === '' ? new MalformedRequestError() : new MisdirectedRequestError();
}

/** Whatever the method: a body that no route reads is as long as its sender likes, and as ambiguous. */
function refusedBody({ headers, httpVersionMinor, method }: IncomingMessage): AppError | undefined {
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined) {
    // HTTP/1.0 has no chunks: a proxy of that age would read the body otherwise (RFC 9112, section 6.1).
    const isChunked = httpVersionMinor === 1 && encoding.toLowerCase() === 'chunked';
    if (!isChunked || method === 'GET' || method === 'HEAD') return new MalformedRequestError();
  }
  if (Number(headers['content-length']) > BODY_LIMIT_BYTES) return new BodyTooLargeError();
  return headers['content-encoding'] === undefined ? undefined : new UnsupportedMediaTypeError();
}
