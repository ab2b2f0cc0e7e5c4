/**
 * Everything that the audit log tells of. Names are part of the contract: add to them, never change one.
 */
export const auditActions = [
  'auth.register',
  'auth.login',
  'auth.login-failed',
  'auth.login-throttled',
  'auth.logout',
  'auth.refresh-replayed',
  'auth.session-revoked',
  'auth.password-changed',
  'api-key.create',
  'api-key.delete',
  'totp.activate',
  'totp.remove',
  'user.roles',
  'user.disable',
  'user.enable',
  'user.end-sessions',
  'user.delete',
  'access.denied',
  'secret.read',
  'secret.write',
  'secret.metadata',
  'secret.delete',
  'secret.undelete',
  'secret.destroy',
  'grant.create',
  'grant.revoke',
  'grant.read',
  'share.create',
  'share.reveal',
  'share.delete',
  'audit.read',
  'audit.verify',
] as const;

export type AuditAction = (typeof auditActions)[number];
