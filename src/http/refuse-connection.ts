import { type Socket } from 'node:net';
import { newRequestId } from '../common/id.js';
import { codeOfStatus, type Problem, PROBLEM_MEDIA_TYPE, problemOfCode } from '../common/problem-details.js';

const statusByParserError: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers bytes that are no HTTP request, then closes: nothing after them can be trusted. Failed TLS
 * handshakes come here too; there is no channel to answer them through.
 *
 * @param always - header fields of every answer
 */
export function refuseConnection(
  error: Error & { readonly code?: string },
  socket: Socket,
  always: Readonly<Record<string, string>>,
): void {
  const code = error.code ?? '';
  if (!socket.writable || !(code.startsWith('HPE_') || code in statusByParserError)) {
    socket.destroy();
    return;
  }
  const requestId = newRequestId();
  const problem = problemOfCode(codeOfStatus(statusByParserError[code] ?? 400), requestId);
  socket.end(toHttpMessage(problem, { ...always, 'x-request-id': requestId }));
}

function toHttpMessage({ body, headers }: Problem, always: Readonly<Record<string, string>>): string {
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
