import { FastifyAdapter } from '@nestjs/platform-fastify';
import { fastify, type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { type ServerTls } from './app.tls.js';
import { type AppError } from './common/app-error.js';
import { newRequestId } from './common/id.js';
import { type JsonLogger } from './common/json-logger.js';
import { codeOfStatus, PROBLEM_MEDIA_TYPE, problemOfCode, problemOfError } from './common/problem-details.js';
import { securityHeaders, strictTransportSecurity } from './common/security-headers.js';
import { type AppConfig } from './config/app-config.js';
import { Admission } from './http/admission.js';
import { CrossOrigin } from './http/cross-origin.js';
import { answerExpectations } from './http/expectations.js';
import { addHooks } from './http/hooks.js';
import { addJsonParser } from './http/json-parser.js';
import {
  BODY_LIMIT_BYTES,
  HEADERS_LIMIT_BYTES,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_PARAM_LENGTH,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_CHECK_INTERVAL_MS,
} from './http/limits.js';
import { parseMergePatches } from './http/merge-patch-parser.js';
import { PublicHosts } from './http/public-hosts.js';
import { type RateLimits } from './http/rate-limits.js';
import { refuseConnection, refuseOtherProtocols, refuseTunnel } from './http/refuse-connection.js';
import { RouteTable } from './http/route-table.js';

export interface HttpOptions {
  readonly tls: ServerTls;
  readonly config: AppConfig;
  readonly rateLimits: RateLimits;
  readonly logger: JsonLogger;
}

/** Fastify over TLS, with what holds for every request and response whatever its route. */
export function newHttpAdapter({ tls, config, rateLimits, logger }: HttpOptions): FastifyAdapter {
  const { publicHosts, trustedProxies, corsOrigins } = config.server;
  const always = {
    ...securityHeaders,
    ...(config.isProduction ? strictTransportSecurity : {}),
    // A route whose answers may be stored says so itself.
    'cache-control': 'no-store',
    // Even without an Origin: a cache between must not give an answer to another.
    ...(corsOrigins.length > 0 ? { vary: 'Origin' } : {}),
  };
  const routes = new RouteTable();
  const crossOrigin = corsOrigins.length > 0 ? new CrossOrigin(corsOrigins, routes) : undefined;
  const hosts = new PublicHosts(publicHosts);
  const { maxInFlight } = config.limits;
  const trustsProxies = trustedProxies.length > 0;
  const admission = new Admission({
    always,
    hosts,
    trustsProxies,
    rateLimits,
    maxInFlight,
    crossOrigin,
    logger,
  });
  const instance = fastify({
    https: {
      ...tls.options,
      maxHeaderSize: HEADERS_LIMIT_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      // Both are refused in `RequestChecks`, which can say so in a problem document.
      requireHostHeader: false,
      joinDuplicateHeaders: true,
    },
    bodyLimit: BODY_LIMIT_BYTES,
    // Of X-Forwarded-For the right-most address that is none of these is the client's.
    trustProxy: trustsProxies ? [...trustedProxies] : false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: newRequestId,
    requestIdHeader: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // DTOs are checked by class-validator: without these Fastify would load two schema compilers at start.
    schemaController: { compilersFactory: { buildValidator: refuseSchemas, buildSerializer: refuseSchemas } },
    // The router's own refusals come before every hook.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const answer = (refusal: AppError | undefined) => {
        const { body, headers } = refusal
          ? problemOfError(refusal, request.id)
          : problemOfCode(codeOfStatus(error.statusCode ?? 400), request.id);
        void reply.status(body.status).headers(headers).type(PROBLEM_MEDIA_TYPE).send(body);
      };
      const refusal = admission.enter(request, reply);
      if (refusal instanceof Promise) void refusal.then(answer);
      else answer(refusal);
    },
    // The parser's come before everything.
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, always),
  });
  instance.removeAllContentTypeParsers();
  addJsonParser(instance, 'application/json');
  parseMergePatches(instance);
  refuseOtherProtocols(instance.server, always);
  instance.server.on('connect', (_request, socket) => refuseTunnel(socket, always));
  answerExpectations(instance);
  // Before our own hooks, which let a request wait: its connection is in use meanwhile.
  tls.attach(instance);
  addHooks(instance, { admission, routes, rateLimits, crossOrigin });
  // Not before: the adapter adds hooks of its own, and one of them answers targets that begin with no slash.
  return new FastifyAdapter(instance);
}

function refuseSchemas(): never {
  throw new Error('a route has a JSON schema: describe its body by a DTO');
}
