import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type JsonLogger } from '../common/json-logger.js';
import { type AppError } from '../common/app-error.js';
import { CrossOrigin } from './cross-origin.js';
import { OverloadedError, StoppingError, TooManyRequestsError } from './errors.js';
import { type PublicHosts } from './public-hosts.js';
import { type RateLimit, type RateLimits } from './rate-limits.js';
import { RequestChecks } from './request-checks.js';
import { RouteTable } from './route-table.js';

/** Where passwords, codes, tokens and passphrases are tried: what guesses at them meets a lower limit. */
const AUTH_ROUTES = /^\/v1\/auth\/|^\/v1\/shares\/:id\/reveal$/;

export interface HookOptions {
  /** Header fields of every answer. */
  readonly always: Readonly<Record<string, string>>;
  readonly hosts: PublicHosts;
  readonly rateLimits: RateLimits;
  readonly maxInFlight: number;
  readonly corsOrigins: readonly string[];
  readonly logger: JsonLogger;
}

type Done = (error?: AppError) => void;

/** What happens to every request before its route is called, and after it. */
export function addHooks(fastify: FastifyInstance, options: HookOptions): void {
  const { always, hosts, rateLimits, maxInFlight, corsOrigins, logger } = options;
  const checks = new RequestChecks(hosts);
  const routes = new RouteTable();
  const crossOrigin = corsOrigins.length > 0 ? new CrossOrigin(corsOrigins, routes) : undefined;
  let isStopping = false;
  let inFlight = 0;
  const admit = (waitSeconds: number, request: FastifyRequest, reply: FastifyReply, done: Done) => {
    if (waitSeconds > 0) done(new TooManyRequestsError(waitSeconds));
    else if (!crossOrigin?.answerPreflight(request, reply)) done(routes.refusal(request));
  };
  const limit = (rateLimit: RateLimit, request: FastifyRequest, reply: FastifyReply, done: Done) => {
    const wait = rateLimit.take(request.ip);
    if (typeof wait === 'number') admit(wait, request, reply, done);
    else void wait.then((waitSeconds) => admit(waitSeconds, request, reply, done));
  };

  fastify.addHook('onRoute', (route) => {
    routes.add(route.url, route.method);
    const { authRequests } = rateLimits;
    if (!authRequests || !AUTH_ROUTES.test(route.url)) return;
    route.onRequest = (request: FastifyRequest, reply: FastifyReply, done: Done) =>
      limit(authRequests, request, reply, done);
  });
  fastify.addHook('preClose', (done) => {
    isStopping = true;
    done();
  });
  fastify.addHook('onClose', (_instance, done) => {
    rateLimits.close();
    done();
  });
  fastify.addHook('onRequest', (request, reply, done: Done) => {
    reply.headers(always);
    reply.header('x-request-id', request.id);
    const startedAtMs = performance.now();
    // Read now: a socket that is closed has none.
    const { ip } = request;
    let isAdmitted = false;
    // Also when the client goes away first, of which Fastify tells nobody.
    reply.raw.on('close', () => {
      if (isAdmitted) inFlight -= 1;
      const isAnswered = reply.raw.writableFinished;
      logger.request({
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: isAnswered ? reply.statusCode : undefined,
        durationMs: Math.round((performance.now() - startedAtMs) * 10) / 10,
        ip,
      });
      // Kept alive, a connection would hold the stop up until it has been idle for long enough.
      if (isAnswered && isStopping) request.raw.socket.end();
    });
    const refusal = isStopping ? new StoppingError() : checks.refusal(request.raw);
    if (refusal) return done(refusal);
    if (inFlight >= maxInFlight) return done(new OverloadedError());
    inFlight += 1;
    isAdmitted = true;
    crossOrigin?.mark(request, reply);
    if (rateLimits.requests) return limit(rateLimits.requests, request, reply, done);
    return admit(0, request, reply, done);
  });
}
