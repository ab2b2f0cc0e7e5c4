import { type SessionPrincipal } from '../common/access.js';
import { type Role } from '../common/permissions.js';
import { type SessionRow } from './sessions.repository.js';

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

export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    createdAt: new Date(row.created_at),
    lastUsedAt: new Date(row.last_used_at),
    device: { ip: row.ip, userAgent: row.user_agent },
  };
}
