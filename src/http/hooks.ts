import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type AppError } from '../common/app-error.js';
import { type Admission, limitRefusal, type Refusal } from './admission.js';
import { Cohort } from './cohort.js';
import { type CrossOrigin } from './cross-origin.js';
import { type RateLimits } from './rate-limits.js';
import { type RouteTable } from './route-table.js';

/** Where passwords, codes, tokens and passphrases are tried: what guesses at them meets a lower limit. */
const AUTH_ROUTES = /^\S+ \/v1\/auth\/|^POST \/v1\/shares\/:id\/reveal$|^DELETE \/v1\/users\/me$/;

export interface HookOptions {
  readonly admission: Admission;
  readonly routes: RouteTable;
  readonly rateLimits: RateLimits;
  readonly crossOrigin: CrossOrigin | undefined;
}

type Done = (error?: AppError) => void;

/** What happens to every request before its route is called. */
export function addHooks(fastify: FastifyInstance, options: HookOptions): void {
  const { admission, routes, rateLimits, crossOrigin } = options;
  const { authRequests } = rateLimits;
  const cohort = new Cohort();
  const admit = (
    refusal: AppError | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void => {
    if (refusal) done(refusal);
    else if (!crossOrigin?.answerPreflight(request, reply)) done(routes.refusal(request));
  };
  const admitUnless = (refusal: Refusal, request: FastifyRequest, reply: FastifyReply, done: Done): void => {
    // What a hook throws later than at once, Fastify doesn't hear of: it would end the process.
    if (refusal instanceof Promise) refusal.then((late) => admit(late, request, reply, done)).catch(done);
    else admit(refusal, request, reply, done);
  };

  fastify.addHook('onRoute', (route) => {
    routes.add(route.url, route.method);
    if (!authRequests || !AUTH_ROUTES.test(`${String(route.method)} ${route.url}`)) return;
    route.onRequest = (request: FastifyRequest, reply: FastifyReply, done: Done) =>
      admitUnless(limitRefusal(authRequests, request), request, reply, done);
  });
  fastify.addHook('preClose', (done) => {
    admission.stop();
    done();
  });
  fastify.addHook('onClose', (_instance, done) => {
    rateLimits.close();
    done();
  });
  fastify.addHook('onRequest', (request, reply, done: Done) =>
    admitUnless(admission.enter(request, reply) ?? cohort.join(), request, reply, done),
  );
}
