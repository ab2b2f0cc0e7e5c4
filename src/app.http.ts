import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type ServerOptions } from 'node:https';
import { AppError } from './common/app-error.js';
import { newRequestId } from './common/id.js';
import { type JsonLogger } from './common/json-logger.js';
import { codeOfStatus, PROBLEM_MEDIA_TYPE, problemOfCode } from './common/problem-details.js';
import { securityHeaders, strictTransportSecurity } from './common/security-headers.js';
import {
  BODY_LIMIT_BYTES,
  HEADERS_LIMIT_BYTES,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_PARAM_LENGTH,
  REQUEST_TIMEOUT_MS,
} from './http/limits.js';
import { parseMergePatches } from './http/merge-patch-parser.js';
import { refuseConnection } from './http/refuse-connection.js';
import { RouteTable } from './http/route-table.js';

const NO_STORE = { 'cache-control': 'no-store' };

/** Without a Host it can't be told whom the request is for; Node's own refusal would have no body. */
class MissingHostError extends AppError {
  override readonly headers = { Connection: 'close' };

  constructor() {
    super('ERR_MALFORMED_REQUEST');
  }
}

/** The process stops: the caller's next connection reaches another instance or the next start. */
class StoppingError extends AppError {
  override readonly headers = { Connection: 'close', 'Retry-After': '5' };

  constructor() {
    super('ERR_UNAVAILABLE');
  }
}

export interface HttpOptions {
  readonly tls: ServerOptions;
  readonly isProduction: boolean;
  readonly logger: JsonLogger;
}

/** Fastify over TLS, with what holds for every request and response whatever its route. */
export function newHttpAdapter({ tls, isProduction, logger }: HttpOptions): FastifyAdapter {
  const always = isProduction ? { ...securityHeaders, ...strictTransportSecurity } : securityHeaders;
  const adapter = new FastifyAdapter({
    https: {
      ...tls,
      maxHeaderSize: HEADERS_LIMIT_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requireHostHeader: false,
    },
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: newRequestId,
    requestIdHeader: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // DTOs are checked by class-validator: without these Fastify would load two schema compilers at start.
    schemaController: { compilersFactory: { buildValidator: refuseSchemas, buildSerializer: refuseSchemas } },
    // The router's own refusals and the HTTP parser's come before every hook.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const { body, headers } = problemOfCode(codeOfStatus(error.statusCode ?? 400), request.id);
      void reply
        .status(body.status)
        .headers({ ...always, ...cacheHeaders(request), ...headers, 'x-request-id': request.id })
        .type(PROBLEM_MEDIA_TYPE)
        .send(body);
    },
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, always),
  });
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  parseMergePatches(fastify);
  // An expectation nobody knows is ignored (RFC 9110, section 10.1.1): Node's own 417 would have no body.
  fastify.server.on('checkExpectation', (request, response) =>
    fastify.server.emit('request', request, response),
  );
  addHooks(fastify, always, logger);
  return adapter;
}

function refuseSchemas(): never {
  throw new Error('a route has a JSON schema: describe its body by a DTO');
}

function addHooks(
  fastify: FastifyInstance,
  always: Readonly<Record<string, string>>,
  logger: JsonLogger,
): void {
  const routes = new RouteTable();
  let isStopping = false;

  fastify.addHook('onRoute', ({ url, method }) => routes.add(url, method));
  fastify.addHook('preClose', (done) => {
    isStopping = true;
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(always);
    reply.headers(cacheHeaders(request));
    reply.header('x-request-id', request.id);
    if (isStopping) done(new StoppingError());
    else done(request.headers.host === undefined ? new MissingHostError() : routes.refusal(request));
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply, logger);
    // Kept alive, a connection would hold the stop up until it has been idle for long enough.
    if (isStopping) request.raw.socket.end();
    done();
  });
}

function cacheHeaders({ url }: FastifyRequest): Readonly<Record<string, string>> {
  return url.startsWith('/v1/') ? NO_STORE : {};
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
