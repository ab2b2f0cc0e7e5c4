import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';

export type Role = 'user' | 'admin';

export type Permission =
  | 'account:read'
  | 'account:write'
  | 'audit:read'
  | 'audit:read-any'
  | 'contacts:read'
  | 'contacts:write'
  | 'secrets:read'
  | 'secrets:write';

/** Who makes the request, as the guard established it. */
export interface Principal {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly Role[];
}

export interface AuthenticatedRequest {
  principal?: Principal;
}

/** What a route demands: nothing, or one permission. A route with neither stops the start. */
export type Access = { readonly public: true } | { readonly permission: Permission };

export const ACCESS_METADATA = 'access';

/** Anyone may call the route, signed in or not. */
export const Public = () => SetMetadata(ACCESS_METADATA, { public: true } satisfies Access);

/** The caller must be authenticated and one of their roles must hold the permission. */
export const RequirePermission = (permission: Permission) =>
  SetMetadata(ACCESS_METADATA, { permission } satisfies Access);

/** The principal of the request. Only for routes with a permission; the guard has put it there. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal === undefined) throw new Error('a route without a permission asked for the current user');
  return principal;
});
