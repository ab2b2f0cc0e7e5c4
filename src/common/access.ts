import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { type Permission } from './permissions.js';

/** Who makes the request, as the guard established it. */
export interface Principal {
  readonly userId: string;
  /** What the roles of the user hold now; with an API key, those of its scopes that are among them. */
  readonly permissions: ReadonlySet<Permission>;
  /** The session whose access token came with the request. Absent with an API key. */
  readonly sessionId?: string;
  /** When the user last proved in this session who they are, in Unix milliseconds. */
  readonly authenticatedAtMs?: number;
}

/** A principal that signed in. */
export type SessionPrincipal = Principal & Required<Pick<Principal, 'sessionId' | 'authenticatedAtMs'>>;

export interface AuthenticatedRequest {
  principal?: Principal;
}

/** What a route demands: nothing, or one permission. A route with neither stops the start. */
export type Access =
  | { readonly public: true; readonly tellsMoreTo?: Permission }
  | { readonly permission: Permission; readonly isStepUp: boolean };

export const ACCESS_METADATA = 'access';

/**
 * Anyone may call the route, signed in or not.
 *
 * @param options - `tellsMoreTo`: the permission of those whom the route tells more, as `@PrivilegedUser()`
 */
export const Public = (options: { readonly tellsMoreTo?: Permission } = {}) =>
  SetMetadata(ACCESS_METADATA, { public: true, ...options } satisfies Access);

/**
 * The caller must be authenticated and hold the permission.
 *
 * @param options - `stepUp`: the caller must have signed in within the last five minutes as well
 */
export const RequirePermission = (permission: Permission, options: { readonly stepUp?: true } = {}) =>
  SetMetadata(ACCESS_METADATA, { permission, isStepUp: options.stepUp === true } satisfies Access);

/** The principal of the request. Only for routes with a permission; the guard has put it there. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal === undefined) throw new Error('a route without a permission asked for the current user');
  return principal;
});

/** Whoever calls a public route with the permission that it tells more to; undefined for everyone else. */
export const PrivilegedUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Principal | undefined =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().principal,
);

/** The same with its session. Only for routes whose permission is no scope of an API key. */
export const CurrentSession = createParamDecorator(
  (_data: unknown, context: ExecutionContext): SessionPrincipal => {
    const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (!principal || !isOfSession(principal)) {
      throw new Error('a route that an API key may call asked for the current session');
    }
    return principal;
  },
);

function isOfSession(principal: Principal): principal is SessionPrincipal {
  return principal.sessionId !== undefined && principal.authenticatedAtMs !== undefined;
}
