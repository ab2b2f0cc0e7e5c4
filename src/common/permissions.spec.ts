import { describe, expect, it } from '@jest/globals';
import { permissionRules, permissionsOf, scopes } from './permissions.js';

describe('permissions', () => {
  it('are those of all roles together, and none without a role', () => {
    expect(permissionsOf([])).toEqual(new Set());
    expect(permissionsOf(['user']).has('users:read')).toBe(false);
    expect(permissionsOf(['admin'])).toEqual(permissionsOf(['user', 'admin']));
    expect(permissionsOf(['user', 'admin'])).toEqual(new Set(Object.keys(permissionRules)));
  });

  it('of an unknown role, such as one of a newer release, are none', () => {
    expect(permissionsOf(['root' as 'admin'])).toEqual(new Set());
  });

  it('that decide who gets in, or what a key may do, are no scopes of an API key', () => {
    const forbidden = new Set<string>([
      'account:write',
      'api-keys:read',
      'api-keys:write',
      'sessions:read',
      'sessions:write',
      'users:write',
    ]);
    expect([...scopes].filter((scope) => forbidden.has(scope))).toEqual([]);
    expect(scopes.size).toBeGreaterThan(0);
  });
});
