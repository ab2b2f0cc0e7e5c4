import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { newRequestId } from '../common/id.js';
import { MisdirectedRequestError } from './errors.js';
import {
  HEADERS_LIMIT_BYTES,
  HEADERS_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_CHECK_INTERVAL_MS,
} from './limits.js';
import { type PublicHosts } from './public-hosts.js';
import { refuseConnection, refuseOtherProtocols, refuseRequest, refuseTunnel } from './refuse-connection.js';
import { RequestChecks } from './request-checks.js';

/** What a field value may hold; anything else in a target is left out of the redirect. */
const PLAIN_PATH = /^\/[\x21-\x7e]*$/;
/** The authority and what follows it (RFC 9112, section 3.2.2). */
const ABSOLUTE_TARGET = /^https?:\/\/([^/?#]*)(.*)$/i;

export interface RedirectOptions {
  readonly hosts: PublicHosts;
  /** Named when the request is for none of the hosts. */
  readonly defaultHost: string;
  /** That clients reach the API at; empty for 443. */
  readonly httpsPort: string;
  /** Header fields of every answer. Not HSTS, which plain HTTP may not send (RFC 6797, section 7.2). */
  readonly always: Readonly<Record<string, string>>;
}

/**
 * A server for plain HTTP that serves nothing: every request is sent to the same path over HTTPS, on a host
 * of ours whatever host it names. Its limits of size and time are those of the API.
 */
export function newRedirectServer(options: RedirectOptions): Server {
  const { hosts, always } = options;
  const checks = new RequestChecks(hosts, true);
  const server = createServer(
    {
      maxHeaderSize: HEADERS_LIMIT_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      requireHostHeader: false,
      joinDuplicateHeaders: true,
    },
    answer,
  );

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = checks.refusal(request);
    if (refusal && !(refusal instanceof MisdirectedRequestError)) refuseRequest(response, refusal, always);
    else redirect(response, locationOf(request, options), always);
  }

  refuseOtherProtocols(server, always);
  server.on('clientError', (error, socket) => refuseConnection(error, socket, always));
  server.on('connect', (_request, socket) => refuseTunnel(socket, always));
  for (const event of ['checkContinue', 'checkExpectation'] as const) {
    server.on(event, (request, response) => server.emit('request', request, response));
  }
  return server;
}

/** The host of an absolute target counts, not that of the field. */
function locationOf({ headers, url = '' }: IncomingMessage, options: RedirectOptions): string {
  const [, authority = headers.host ?? '', path = url] = ABSOLUTE_TARGET.exec(url) ?? [];
  const host = options.hosts.nameIn(authority) ?? options.defaultHost;
  const port = options.httpsPort === '' ? '' : `:${options.httpsPort}`;
  return `https://${host}${port}${PLAIN_PATH.test(path) ? path : '/'}`;
}

function redirect(response: ServerResponse, location: string, always: RedirectOptions['always']): void {
  const fields = { ...always, 'x-request-id': newRequestId(), location, 'content-length': '0' };
  response.writeHead(308, { ...fields, connection: 'close' }).end();
}
