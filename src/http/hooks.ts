import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type JsonLogger } from '../common/json-logger.js';
import { StoppingError } from './errors.js';
import { type PublicHosts } from './public-hosts.js';
import { RequestChecks } from './request-checks.js';
import { RouteTable } from './route-table.js';

export interface HookOptions {
  /** Header fields of every answer. */
  readonly always: Readonly<Record<string, string>>;
  readonly hosts: PublicHosts;
  readonly logger: JsonLogger;
}

/** What happens to every request before its route is called, and after it. */
export function addHooks(fastify: FastifyInstance, { always, hosts, logger }: HookOptions): void {
  const checks = new RequestChecks(hosts);
  const routes = new RouteTable();
  let isStopping = false;

  fastify.addHook('onRoute', ({ url, method }) => routes.add(url, method));
  fastify.addHook('preClose', (done) => {
    isStopping = true;
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(always);
    reply.header('x-request-id', request.id);
    if (isStopping) done(new StoppingError());
    else done(checks.refusal(request.raw) ?? routes.refusal(request));
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply, logger);
    // Kept alive, a connection would hold the stop up until it has been idle for long enough.
    if (isStopping) request.raw.socket.end();
    done();
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply, logger: JsonLogger): void {
  logger.request({
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url ?? 'unknown',
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    ip: request.ip,
  });
}
