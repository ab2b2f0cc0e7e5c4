import { type SessionPrincipal } from '../common/access.js';
import { uuidv7 } from '../common/id.js';
import { permissionsOf, type Role } from '../common/permissions.js';
import { type LiveSessionRow, type SessionRow } from './sessions.repository.js';

const MAX_USER_AGENT_LENGTH = 256;

interface Device {
  readonly ip: string;
  readonly userAgent: string;
}

export interface Session {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly device: Device;
}

/** Who is signed in by it, and with which roles. */
export interface LiveSession extends SessionPrincipal {
  readonly roles: readonly Role[];
}

/** A user as they were when they proved who they are. */
export interface Authenticated {
  readonly userId: string;
  /** As they gave it. */
  readonly email: string;
  /** A session begins only while the password is still that one. */
  readonly passwordChangedAtMs: number;
  /** Asked in the transaction that begins the session: whether what was shown is still enough. */
  readonly isStillEnough: () => Promise<boolean>;
  /** By which methods (RFC 8176 names). */
  readonly amr: readonly string[];
}

/** A session with its user's roles and the refresh token that continues it, shown once. */
export interface GrantedSession {
  readonly session: SessionRow;
  readonly roles: readonly Role[];
  readonly refreshToken: string;
}

/** One that begins now, and ends after a time without use or, however it is used, after another. */
export function newSession(
  of: Device & { readonly userId: string; readonly amr: readonly string[] },
  nowMs: number,
  limits: { readonly refreshIdleTtlSeconds: number; readonly refreshAbsoluteTtlSeconds: number },
): SessionRow {
  const expiresAtMs = nowMs + limits.refreshAbsoluteTtlSeconds * 1_000;
  return {
    id: uuidv7(nowMs),
    user_id: of.userId,
    created_at: nowMs,
    last_used_at: nowMs,
    idle_expires_at: Math.min(nowMs + limits.refreshIdleTtlSeconds * 1_000, expiresAtMs),
    expires_at: expiresAtMs,
    ip: of.ip,
    user_agent: of.userAgent.slice(0, MAX_USER_AGENT_LENGTH),
    amr: of.amr.join(' '),
    auth_time: nowMs,
    revoked_at: null,
  };
}

export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    createdAt: new Date(row.created_at),
    lastUsedAt: new Date(row.last_used_at),
    device: { ip: row.ip, userAgent: row.user_agent },
  };
}

export function toLiveSession(id: string, row: LiveSessionRow): LiveSession {
  const roles = toRoles(row.roles);
  return {
    userId: row.user_id,
    permissions: permissionsOf(roles),
    sessionId: id,
    authenticatedAtMs: row.auth_time,
    roles,
  };
}

export function toRoles(stored: string): Role[] {
  return stored.split(' ') as Role[];
}
