import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { type Access, ACCESS_METADATA, type AuthenticatedRequest, type Principal } from '../common/access.js';
import { ForbiddenError } from '../common/app-error.js';
import { isAllowed } from '../common/role-permissions.js';
import { Authenticator } from './authenticator.js';

/** Stands before every route and denies by default. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.reflector.get<Access | undefined>(ACCESS_METADATA, context.getHandler());
    if (access && 'public' in access) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>();
    const authenticated = this.authenticator.authenticate(request.headers.authorization);
    return authenticated instanceof Promise
      ? authenticated.then((principal) => admit(request, principal, access))
      : admit(request, authenticated, access);
  }
}

function admit(
  request: AuthenticatedRequest,
  principal: Principal,
  access?: Exclude<Access, { public: true }>,
): true {
  if (!access || !isAllowed(principal.roles, access.permission)) throw new ForbiddenError();
  request.principal = principal;
  return true;
}
