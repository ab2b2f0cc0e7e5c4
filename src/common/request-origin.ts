import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';

/** Where a request comes from, for the audit log. */
export interface RequestOrigin {
  readonly ip: string;
  /** As in `X-Request-Id` and in the log. */
  readonly requestId: string;
}

/** The origin of the request. A controller hands it to the services that record what they do. */
export const CurrentOrigin = createParamDecorator(
  (_data: unknown, context: ExecutionContext): RequestOrigin => {
    const { ip, id } = context.switchToHttp().getRequest<FastifyRequest>();
    return { ip, requestId: id };
  },
);
