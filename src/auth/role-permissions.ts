import { type Permission, type Role } from '../common/access.js';

const user: readonly Permission[] = [
  'account:read',
  'account:write',
  'contacts:read',
  'contacts:write',
  'secrets:read',
  'secrets:write',
];

/** What each role may do. Nobody, an administrator included, reaches another user's objects. */
const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  user,
  admin: user,
};

/** Whether one of the roles holds the permission. */
export function isAllowed(roles: readonly Role[], permission: Permission): boolean {
  return roles.some((role) => rolePermissions[role].includes(permission));
}
