import { METHODS, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type Duplex } from 'node:stream';
import { type AppError } from '../common/app-error.js';
import { newRequestId } from '../common/id.js';
import {
  codeOfStatus,
  type Problem,
  PROBLEM_MEDIA_TYPE,
  problemOfCode,
  problemOfError,
} from '../common/problem-details.js';
import { MalformedRequestError } from './errors.js';

/** A client that doesn't read the answer or close has so long until its connection is cut. */
const LINGER_MS = 1_000;

type Fields = Readonly<Record<string, string>>;

/** What Node says of bytes that are no request; Fastify's type of it is of what `JSON.stringify` makes of it. */
interface ParserError extends Error {
  readonly code?: string;
  /** The bytes that came last, and at which of them the parser stopped. */
  readonly rawPacket?: unknown;
  readonly bytesParsed?: number;
}

/** What comes after the bytes that were refused is refused again by the parser, piece by piece. */
const refused = new WeakSet<Duplex>();

/**
 * Answers bytes that are no HTTP request, or come too slowly, then closes: nothing after them can be
 * trusted. Failed TLS handshakes come here too; there is no channel to answer them through.
 *
 * @param always - header fields of every answer
 */
export function refuseConnection(error: ParserError, socket: Duplex, always: Fields): void {
  const status = statusOf(error);
  if (status === undefined) socket.destroy();
  else refuse(socket, status, always);
}

/** Answers CONNECT, which Node gives to no route: this is no proxy. */
export function refuseTunnel(socket: Duplex, always: Fields): void {
  refuse(socket, 405, { ...always, Allow: 'GET, HEAD' });
}

/**
 * Node's parser takes RTSP too (RFC 2326), and the router answers its methods past all hooks: nothing would be
 * checked, counted or logged.
 */
export function refuseOtherProtocols(server: Server, always: Fields): void {
  const methods: ReadonlySet<string | undefined> = new Set(METHODS);
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request').on('request', (request, response) => {
    if (methods.has(request.method)) for (const listener of listeners) listener(request, response);
    else refuseRequest(response, new MalformedRequestError(), always);
  });
}

/** Answers a request that no route gets to see, and closes. */
export function refuseRequest(response: ServerResponse, refusal: AppError, always: Fields): void {
  const requestId = newRequestId();
  const { body, headers } = problemOfError(refusal, requestId);
  const content = JSON.stringify(body);
  response.writeHead(body.status, {
    ...always,
    ...headers,
    'x-request-id': requestId,
    'content-type': PROBLEM_MEDIA_TYPE,
    'content-length': Buffer.byteLength(content),
    connection: 'close',
  });
  response.end(content);
}

/** None for what isn't HTTP at all. */
function statusOf(error: ParserError): number | undefined {
  const { code = '' } = error;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (code === 'HPE_HEADER_OVERFLOW') return isInRequestLine(error) ? 414 : 431;
  return code.startsWith('HPE_') ? 400 : undefined;
}

function isInRequestLine({ rawPacket, bytesParsed = 0 }: ParserError): boolean {
  const [line = ''] = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1').split('\r\n', 1) : [];
  return bytesParsed <= line.length && / HTTP\/1\.[01]$/.test(line);
}

function refuse(socket: Duplex, status: number, always: Fields): void {
  if (refused.has(socket)) return;
  refused.add(socket);
  afterEarlierAnswers(socket, () => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer)).on('error', () => socket.destroy());
    // Part of an answer is on its way: a second one would end up inside it.
    if (answerInProgress(socket)?.headersSent === true) socket.destroy();
    else if (socket.writable) answer(socket, status, always);
  });
}

/** A client takes the first answer for that of its first request: those that are complete get theirs before. */
function afterEarlierAnswers(socket: Duplex, go: () => void): void {
  const earlier = answerInProgress(socket);
  if (earlier?.req.complete === true) earlier.once('close', () => afterEarlierAnswers(socket, go));
  else go();
}

function answer(socket: Duplex, status: number, always: Fields): void {
  const requestId = newRequestId();
  const problem = problemOfCode(codeOfStatus(status), requestId);
  // What still arrives is dropped: unread, it would make the system reset the connection under the answer.
  socket.resume().end(toHttpMessage(problem, { ...always, 'x-request-id': requestId }));
}

/** The answer that a request on the connection waits for. Node marks the socket so. */
export function answerInProgress(socket: Duplex): ServerResponse | undefined {
  return (Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined) ?? undefined;
}

function toHttpMessage({ body, headers }: Problem, always: Fields): string {
  const content = JSON.stringify(body);
  const fields = {
    ...always,
    ...headers,
    'Content-Type': PROBLEM_MEDIA_TYPE,
    'Content-Length': String(Buffer.byteLength(content)),
    Connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${body.status} ${body.title}`, ...lines, '', content].join('\r\n');
}
