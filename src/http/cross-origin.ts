import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type RouteTable } from './route-table.js';

/** What a script may send beyond the fields that need no leave. */
const REQUEST_FIELDS = 'authorization, content-type, if-match, if-none-match';
/** What a script may read beyond the fields that need no leave. */
const RESPONSE_FIELDS = 'etag, location, retry-after, www-authenticate, x-request-id';
/** Chromium's upper bound, in seconds. */
const PREFLIGHT_MAX_AGE = '7200';

/**
 * Lets scripts of the listed origins read answers (CORS, in the Fetch standard). An origin is allowed when it
 * is in the list to the letter. Never with credentials: the API knows no cookie that a browser could add.
 */
export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;

  constructor(
    origins: readonly string[],
    private readonly routes: RouteTable,
  ) {
    this.#origins = new Set(origins);
  }

  /** Says on an answer who may read it. */
  mark({ headers: { origin } }: FastifyRequest, reply: FastifyReply): void {
    if (!this.#isAllowed(origin)) return;
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', RESPONSE_FIELDS);
  }

  /** @returns whether the request was a browser's question what it may send, and is answered */
  answerPreflight({ headers, method, url }: FastifyRequest, reply: FastifyReply): boolean {
    const isPreflight = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
    if (!isPreflight || !this.#isAllowed(headers.origin)) return false;
    const methods = this.routes.methodsOf(url);
    if (methods.length === 0) return false;
    reply.headers({
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': REQUEST_FIELDS,
      'access-control-max-age': PREFLIGHT_MAX_AGE,
    });
    void reply.status(204).send();
    return true;
  }

  #isAllowed(origin: string | undefined): origin is string {
    return origin !== undefined && this.#origins.has(origin);
  }
}
