import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { AuditService } from '../audit/audit.service.js';
import { type Access, ACCESS_METADATA, type AuthenticatedRequest, type Principal } from '../common/access.js';
import { ForbiddenError } from '../common/app-error.js';
import { type Permission } from '../common/permissions.js';
import { Clock } from '../common/clock.js';
import { Authenticator } from './authenticator.js';
import { StepUpRequiredError } from './errors.js';

/** How long ago the caller may have signed in for a route that demands a step-up. */
const MAX_STEP_UP_AGE_MS = 300_000;

type Demand = Exclude<Access, { public: true }>;

/** Stands before every route and denies by default. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.reflector.get<Access | undefined>(ACCESS_METADATA, context.getHandler());
    if (access && 'public' in access)
      return access.tellsMoreTo ? this.#recognise(context, access.tellsMoreTo) : true;
    const request = context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>();
    const authenticated = this.authenticator.authenticate(request.headers.authorization, request.raw.socket);
    return authenticated instanceof Promise
      ? authenticated.then((principal) => this.#admit(request, principal, access))
      : this.#admit(request, authenticated, access);
  }

  /** Lets everyone in. A token that is no good, or can't be checked now, is as good as none. */
  async #recognise(context: ExecutionContext, permission: Permission): Promise<true> {
    const request = context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>();
    if (request.headers.authorization === undefined) return true;
    const principal = await Promise.try(() =>
      this.authenticator.authenticate(request.headers.authorization, request.raw.socket),
    ).catch(() => undefined);
    if (principal?.permissions.has(permission) === true) request.principal = principal;
    return true;
  }

  #admit(
    request: FastifyRequest & AuthenticatedRequest,
    principal: Principal,
    access?: Demand,
  ): true | Promise<never> {
    if (!access || !principal.permissions.has(access.permission)) {
      return this.#deny(new ForbiddenError(), request, principal, access);
    }
    if (access.isStepUp && !this.#isSteppedUp(principal)) {
      return this.#deny(new StepUpRequiredError(), request, principal, access);
    }
    request.principal = principal;
    return true;
  }

  async #deny(
    refusal: Error,
    { ip, id: requestId }: FastifyRequest,
    { userId: actor }: Principal,
    access: Demand | undefined,
  ): Promise<never> {
    await this.audit.recordDenial(actor, access?.permission ?? 'none', { ip, requestId });
    throw refusal;
  }

  /** A sign-in of the future is none: another instance's clock may be ahead, but not by minutes. */
  #isSteppedUp({ authenticatedAtMs }: Principal): boolean {
    if (authenticatedAtMs === undefined) return false;
    return Math.abs(this.clock.nowMs() - authenticatedAtMs) <= MAX_STEP_UP_AGE_MS;
  }
}
