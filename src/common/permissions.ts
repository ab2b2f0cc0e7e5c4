export const roles = ['user', 'admin'] as const;

export type Role = (typeof roles)[number];

interface PermissionRule {
  /** What holds the permission. */
  readonly roles: readonly Role[];
  /** Whether an API key may have it as a scope: never what decides who else gets in, or what a key may do. */
  readonly isScope: boolean;
  /** What it allows, for the documents. */
  readonly allows: string;
}

const everyone: readonly Role[] = roles;
const administrators: readonly Role[] = ['admin'];

/**
 * Who may do what: the one table that decides. A permission is for the caller's own objects unless it says
 * otherwise; nobody, an administrator included, reaches another user's data. `docs/permissions.md` shows it.
 */
export const permissionRules = {
  'account:read': { roles: everyone, isScope: true, allows: "read one's own account" },
  'account:write': {
    roles: everyone,
    isScope: false,
    allows: "change or delete one's own account: password, second factor, public key, logout",
  },
  'api-keys:read': { roles: everyone, isScope: false, allows: "list one's API keys" },
  'api-keys:write': { roles: everyone, isScope: false, allows: "make and delete one's API keys" },
  'audit:read': { roles: everyone, isScope: true, allows: "read one's own audit events" },
  'audit:read-any': { roles: administrators, isScope: true, allows: "read any user's audit events" },
  'audit:verify': {
    roles: administrators,
    isScope: true,
    allows: 'verify the audit log and have its end signed',
  },
  'contacts:read': { roles: everyone, isScope: true, allows: "read one's contacts" },
  'contacts:write': { roles: everyone, isScope: true, allows: "add, change and delete one's contacts" },
  'public-keys:read': {
    roles: everyone,
    isScope: true,
    allows: 'read the public key of any user, to seal to it',
  },
  'secrets:read': { roles: everyone, isScope: true, allows: "read one's secrets" },
  'secrets:write': { roles: everyone, isScope: true, allows: "write, delete, grant and share one's secrets" },
  'server:read': {
    roles: administrators,
    isScope: true,
    allows: "read when the server's certificate expires, with its readiness",
  },
  'sessions:read': { roles: everyone, isScope: false, allows: "list one's sessions" },
  'sessions:write': { roles: everyone, isScope: false, allows: "end one's sessions" },
  'users:read': {
    roles: administrators,
    isScope: true,
    allows: 'list all users with their addresses, roles and whether they are disabled',
  },
  'users:write': {
    roles: administrators,
    isScope: false,
    allows: "change any user's roles, disable and enable them, end their sessions",
  },
} as const satisfies Record<string, PermissionRule>;

export type Permission = keyof typeof permissionRules;

const rules: readonly (readonly [Permission, PermissionRule])[] = Object.entries(permissionRules).map(
  ([name, rule]) => [name as Permission, rule],
);
/** What an API key may be made for. */
export const scopes: ReadonlySet<Permission> = new Set(rules.filter(([, rule]) => rule.isScope).map(first));

const permissionsByRoles = new Map<string, ReadonlySet<Permission>>();

/** In the order of `roles`: the same roles are the same text then, however somebody wrote them. */
export function inOrder(held: readonly Role[]): Role[] {
  return roles.filter((role) => held.includes(role));
}

/** What the roles hold together. The same roles in the same order give the same set. */
export function permissionsOf(held: readonly Role[]): ReadonlySet<Permission> {
  const key = held.join(' ');
  const known = permissionsByRoles.get(key);
  if (known) return known;
  const permissions = new Set(
    rules.filter(([, rule]) => rule.roles.some((role) => held.includes(role))).map(first),
  );
  permissionsByRoles.set(key, permissions);
  return permissions;
}

function first([name]: readonly [Permission, PermissionRule]): Permission {
  return name;
}
