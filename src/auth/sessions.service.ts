import { Injectable, Logger } from '@nestjs/common';
import { type SessionPrincipal } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { uuidv7 } from '../common/id.js';
import { permissionsOf, type Role } from '../common/permissions.js';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { Database } from '../database/database.js';
import { InvalidRefreshTokenError, SessionNotFoundError } from './errors.js';
import { type SessionRow, SessionsRepository } from './sessions.repository.js';

/** A session ended elsewhere, or a role changed, is noticed within this time. */
const RECHECK_MS = 1_000;
const MAX_CACHED_SESSIONS = 10_000;
const MAX_USER_AGENT_LENGTH = 256;
const REFRESH_TOKEN_PREFIX = 'sasr';

export interface Device {
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

/** A session together with the refresh token that continues it, shown once. */
export interface GrantedSession {
  readonly session: SessionRow;
  readonly refreshToken: string;
}

/** Sessions, each one family of refresh tokens of which only the latest is good. */
@Injectable()
export class SessionsService {
  readonly #logger = new Logger('Sessions');
  readonly #live: ExpiringCache<LiveSession | undefined>;

  constructor(
    private readonly repository: SessionsRepository,
    private readonly crypto: CryptoService,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {
    this.#live = new ExpiringCache({ ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_SESSIONS }, clock, (id) =>
      this.#loadLive(id),
    );
  }

  /** The user of a session that is still good, at most one second old. */
  findLive(id: string): Promise<LiveSession | undefined> {
    return this.#live.get(id);
  }

  /** The same, if it is known already. */
  peekLive(id: string): LiveSession | undefined {
    return this.#live.peek(id);
  }

  /** Begins a session after the user has authenticated with these methods (RFC 8176 names). */
  async begin(userId: string, amr: readonly string[], device: Device): Promise<GrantedSession> {
    const nowMs = this.clock.nowMs();
    const { refreshIdleTtlSeconds, refreshAbsoluteTtlSeconds } = this.config.auth;
    const expiresAtMs = nowMs + refreshAbsoluteTtlSeconds * 1_000;
    const session: SessionRow = {
      id: uuidv7(nowMs),
      user_id: userId,
      created_at: nowMs,
      last_used_at: nowMs,
      idle_expires_at: Math.min(nowMs + refreshIdleTtlSeconds * 1_000, expiresAtMs),
      expires_at: expiresAtMs,
      ip: device.ip,
      user_agent: device.userAgent.slice(0, MAX_USER_AGENT_LENGTH),
      amr: amr.join(' '),
      auth_time: nowMs,
      revoked_at: null,
    };
    return this.database.transaction(async () => {
      await this.repository.insert(session);
      return { session, refreshToken: await this.#issueRefreshToken(session.id, nowMs) };
    });
  }

  /**
   * Trades a refresh token for the next one. A token used before ends its whole family: either its
   * owner or a thief holds the successor, and nobody can tell which (RFC 9700, section 4.14.2).
   *
   * @throws {InvalidRefreshTokenError}
   */
  async refresh(refreshToken: string): Promise<GrantedSession> {
    const digest = this.crypto.digestToken(REFRESH_TOKEN_PREFIX, refreshToken);
    if (!digest) throw new InvalidRefreshTokenError();
    const nowMs = this.clock.nowMs();
    const granted = await this.database.transaction(async () => {
      const sessionId = await this.repository.redeemRefreshToken(digest, nowMs);
      if (sessionId === undefined) return undefined;
      const session = await this.repository.touch(
        sessionId,
        nowMs,
        this.config.auth.refreshIdleTtlSeconds * 1_000,
      );
      return { session, refreshToken: await this.#issueRefreshToken(sessionId, nowMs) };
    });
    if (granted) return granted;

    const replayedSessionId = await this.repository.findSessionOfUsedToken(digest);
    if (replayedSessionId !== undefined) {
      await this.repository.revokeFamily(replayedSessionId, nowMs);
      this.#live.delete(replayedSessionId);
      this.#logger.warn(
        { sessionId: replayedSessionId },
        'a used refresh token came back, its session was ended',
      );
    }
    throw new InvalidRefreshTokenError();
  }

  /** The user's sessions that have not ended, newest first. */
  async list(userId: string): Promise<Session[]> {
    const rows = await this.repository.list(userId, this.clock.nowMs());
    return rows.map(toSession);
  }

  /** @throws {SessionNotFoundError} when the user has no such live session */
  async revoke(id: string, userId: string): Promise<void> {
    const isRevoked = await this.repository.revoke(id, userId, this.clock.nowMs());
    if (!isRevoked) throw new SessionNotFoundError();
    this.#live.delete(id);
  }

  /** Ends every session of the user but the one kept. */
  async revokeOthers(keptId: string, userId: string): Promise<void> {
    const ids = await this.repository.revokeOthers(keptId, userId, this.clock.nowMs());
    for (const id of ids) this.#live.delete(id);
  }

  /**
   * Ends every session of the user but the one kept, in the surrounding transaction.
   *
   * @returns the ids of those that ended: `forget` them once the transaction is committed
   */
  async revokeAll(userId: string, keptId?: string): Promise<string[]> {
    return this.repository.revokeAll(userId, keptId, this.clock.nowMs());
  }

  /** Looks these up anew at their next use, which would be a second later otherwise. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#live.delete(id);
  }

  /** Forgets the sessions that have ended. */
  async sweep(): Promise<void> {
    await this.repository.deleteEnded(this.clock.nowMs());
  }

  async #issueRefreshToken(sessionId: string, nowMs: number): Promise<string> {
    const refreshToken = this.crypto.randomToken(REFRESH_TOKEN_PREFIX);
    const digest = this.crypto.digestToken(REFRESH_TOKEN_PREFIX, refreshToken);
    if (!digest) throw new Error('a new refresh token is malformed');
    await this.repository.insertRefreshToken(digest, sessionId, nowMs);
    return refreshToken;
  }

  async #loadLive(id: string): Promise<LiveSession | undefined> {
    const row = await this.repository.findLive(id, this.clock.nowMs());
    if (!row) return undefined;
    const roles = row.roles.split(' ') as Role[];
    const permissions = permissionsOf(roles);
    return { userId: row.user_id, permissions, sessionId: id, authenticatedAtMs: row.auth_time, roles };
  }
}

function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    createdAt: new Date(row.created_at),
    lastUsedAt: new Date(row.last_used_at),
    device: { ip: row.ip, userAgent: row.user_agent },
  };
}
