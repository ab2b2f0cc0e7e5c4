import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { NotFoundError } from './app-error.js';
import { isId } from './id.js';
import { ApiParam } from './openapi.js';

const idOf = createParamDecorator((name: string, context: ExecutionContext): string => {
  const { params } = context.switchToHttp().getRequest<FastifyRequest>();
  const value = (params as Readonly<Record<string, string>>)[name] ?? '';
  if (!isId(value)) throw new NotFoundError();
  return value;
});

/** A path segment that is an id. What isn't one names nothing: 404, as for an unknown id. */
export function IdParam(name = 'id'): ParameterDecorator {
  return (target, method, index) => {
    idOf(name)(target, method, index);
    if (method === undefined) throw new TypeError('an id is a parameter of a route, not of a constructor');
    const handler = Object.getOwnPropertyDescriptor(target, method);
    if (handler) ApiParam({ name, schema: { type: 'string', format: 'uuid' } })(target, method, handler);
  };
}
