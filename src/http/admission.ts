import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Socket } from 'node:net';
import { type AppError } from '../common/app-error.js';
import { type JsonLogger } from '../common/json-logger.js';
import { type CrossOrigin } from './cross-origin.js';
import { MalformedRequestError, OverloadedError, StoppingError, TooManyRequestsError } from './errors.js';
import { keepAddresses } from './forwarded-for.js';
import { IdleConnections } from './idle-connections.js';
import { type PublicHosts } from './public-hosts.js';
import { type RateLimit, type RateLimits } from './rate-limits.js';
import { answerInProgress } from './refuse-connection.js';
import { RequestChecks } from './request-checks.js';

export interface AdmissionOptions {
  /** Header fields of every answer. */
  readonly always: Readonly<Record<string, string>>;
  readonly hosts: PublicHosts;
  /** Whether `X-Forwarded-For` is read at all. */
  readonly trustsProxies: boolean;
  readonly rateLimits: RateLimits;
  readonly maxInFlight: number;
  readonly crossOrigin: CrossOrigin | undefined;
  readonly logger: JsonLogger;
}

/** None, or why the request is refused. A promise only where Redis has to be asked. */
export type Refusal = AppError | undefined | Promise<AppError | undefined>;

/** What every request goes through whatever it asks for, also one that the router refuses by itself. */
export class Admission {
  readonly #checks: RequestChecks;
  readonly #idle = new IdleConnections();
  #isStopping = false;
  #inFlight = 0;
  /** Those that requests in flight came over. A set of the answers, young as they are, would cost 8 µs a request. */
  readonly #busy = new Set<Socket>();

  constructor(private readonly options: AdmissionOptions) {
    this.#checks = new RequestChecks(options.hosts);
  }

  /** From now on requests are refused and connections end with the answer that they wait for. */
  stop(): void {
    this.#isStopping = true;
    for (const socket of this.#busy) {
      const answer = answerInProgress(socket);
      if (answer) answer.shouldKeepAlive = false;
    }
    this.#idle.stop();
  }

  /** Call it once for a request, before anything else is done for it. */
  enter(request: FastifyRequest, reply: FastifyReply): Refusal {
    const { always, crossOrigin, maxInFlight, rateLimits, logger, trustsProxies } = this.options;
    reply.headers(always);
    reply.header('x-request-id', request.id);
    crossOrigin?.mark(request, reply);
    const startedAtMs = performance.now();
    if (trustsProxies) keepAddresses(request.raw.headers);
    // Read now: a socket that is closed has none, and remembers what was read before.
    const ip: string | undefined = request.ip;
    const { socket } = request.raw;
    this.#idle.remove(socket);
    let isAdmitted = false;
    // Also when the client goes away first, of which Fastify tells nobody.
    reply.raw.on('close', () => {
      if (isAdmitted) this.#inFlight -= 1;
      this.#busy.delete(socket);
      const isAnswered = reply.raw.writableFinished;
      const nowMs = performance.now();
      logger.request({
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: isAnswered ? reply.statusCode : undefined,
        durationMs: Math.round((nowMs - startedAtMs) * 10) / 10,
        ip,
      });
      // Kept alive, a connection would hold the stop up until it has been idle for long enough. And a body that
      // nobody waited for may never end: its sender would be told so by a second answer.
      if (isAnswered && (this.#isStopping || !request.raw.complete)) socket.end();
      if (isAnswered) this.#idle.add(socket, nowMs);
    });
    if (this.#isStopping) {
      reply.raw.shouldKeepAlive = false;
      return new StoppingError();
    }
    // The client reset the connection before its request was read: nobody could say later who it was.
    if (ip === undefined) return new MalformedRequestError();
    const refusal = this.#checks.refusal(request.raw);
    if (refusal) return refusal;
    if (this.#inFlight >= maxInFlight) return new OverloadedError();
    this.#inFlight += 1;
    this.#busy.add(socket);
    isAdmitted = true;
    return rateLimits.requests && limitRefusal(rateLimits.requests, request);
  }
}

/** Counts the request. */
export function limitRefusal(rateLimit: RateLimit, { ip }: FastifyRequest): Refusal {
  const wait = rateLimit.take(ip);
  return typeof wait === 'number' ? refusalFor(wait) : wait.then(refusalFor);
}

function refusalFor(waitSeconds: number): AppError | undefined {
  return waitSeconds > 0 ? new TooManyRequestsError(waitSeconds) : undefined;
}
