import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { type AuthenticatedRequest } from './access.js';
import { type RequestOrigin } from './request-origin.js';

/** Who makes a request and from where, for services that record what they do. */
export interface Caller extends RequestOrigin {
  readonly userId: string;
}

/** The caller of the request. Only for routes with a permission; the guard knows who it is. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { principal, ip, id } = context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>();
  if (principal === undefined) throw new Error('a route without a permission asked for its caller');
  return { userId: principal.userId, ip, requestId: id };
});
