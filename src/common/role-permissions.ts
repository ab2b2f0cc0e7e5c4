import { type Permission, type Role } from './access.js';

const user: readonly Permission[] = [
  'account:read',
  'account:write',
  'audit:read',
  'contacts:read',
  'contacts:write',
  'secrets:read',
  'secrets:write',
];

/** What each role may do. Nobody, an administrator included, reaches another user's objects. */
const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  user,
  admin: [...user, 'audit:read-any'],
};

/** Whether one of the roles holds the permission. */
export function isAllowed(roles: readonly Role[], permission: Permission): boolean {
  return roles.some((role) => rolePermissions[role].includes(permission));
}
