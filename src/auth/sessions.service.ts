import { Injectable, Logger } from '@nestjs/common';
import { type SessionPrincipal } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { type RequestOrigin } from '../common/request-origin.js';
import { AppConfig } from '../config/app-config.js';
import { Database } from '../database/database.js';
import { AuthEvents } from './auth-events.js';
import {
  AccountChangedError,
  InvalidRefreshTokenError,
  SessionNotFoundError,
  UnauthenticatedError,
} from './errors.js';
import { RefreshTokens } from './refresh-tokens.js';
import {
  type Authenticated,
  type GrantedSession,
  type LiveSession,
  newSession,
  type Session,
  toLiveSession,
  toRoles,
  toSession,
} from './session.js';
import { SessionsRepository } from './sessions.repository.js';

/** A session ended elsewhere, or a role changed, is noticed within this time. */
const RECHECK_MS = 1_000;
const MAX_CACHED_SESSIONS = 10_000;

/** Sessions, each one family of refresh tokens of which only the latest is good. */
@Injectable()
export class SessionsService {
  readonly #logger = new Logger('Sessions');
  readonly #live: ExpiringCache<LiveSession | undefined>;

  constructor(
    private readonly repository: SessionsRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly events: AuthEvents,
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

  /**
   * Begins a session. One more than a user may have ends their oldest.
   *
   * @throws {AccountChangedError} when the user was disabled, or their password or second factor changed meanwhile
   */
  async begin(
    { userId, email, passwordChangedAtMs, isStillEnough, amr }: Authenticated,
    userAgent: string,
    origin: RequestOrigin,
  ): Promise<GrantedSession> {
    const nowMs = this.clock.nowMs();
    const { maxSessions } = this.config.auth;
    const session = newSession({ userId, amr, ip: origin.ip, userAgent }, nowMs, this.config.auth);
    return this.database.transaction(async () => {
      const roles = await this.repository.lockUser(userId, passwordChangedAtMs);
      if (roles === undefined || !(await isStillEnough())) throw new AccountChangedError();
      const endedIds = await this.repository.revokeOldest(userId, maxSessions - 1, nowMs);
      await this.repository.insert(session);
      const refreshToken = await this.refreshTokens.issue(session.id, nowMs);
      await this.events.sessionsEnded(endedIds, { actor: 'system', userId, origin });
      await this.events.loggedIn(userId, session.id, email, origin);
      this.#forget(endedIds);
      return { session, roles: toRoles(roles), refreshToken };
    });
  }

  /**
   * Trades a refresh token for the next one. A token used before, other than to repeat a question whose answer was
   * lost, ends its whole family: either its owner or a thief holds the successor, and nobody can tell which (RFC
   * 9700, section 4.14.2).
   *
   * @throws {InvalidRefreshTokenError}
   */
  async refresh(refreshToken: string, origin: RequestOrigin): Promise<GrantedSession> {
    const token = await this.refreshTokens.read(refreshToken);
    const nowMs = this.clock.nowMs();
    const idleTtlMs = this.config.auth.refreshIdleTtlSeconds * 1_000;
    const outcome = await this.database.transaction(async () => {
      const redemption = await this.refreshTokens.redeem(token, nowMs);
      if (redemption?.use === 'replay') await this.#endFamily(redemption.sessionId, refreshToken, origin);
      if (!redemption || redemption.use === 'replay') return redemption;
      const session = await (redemption.use === 'first'
        ? this.repository.touch(redemption.sessionId, nowMs, idleTtlMs)
        : this.repository.find(redemption.sessionId));
      return { session, refreshToken: redemption.successor };
    });
    if (outcome && 'session' in outcome) {
      const live = await this.findLive(outcome.session.id);
      if (live) return { ...outcome, roles: live.roles };
    }
    throw new InvalidRefreshTokenError();
  }

  /**
   * Keeps a session and its user as they are until the surrounding transaction ends.
   *
   * @throws {UnauthenticatedError} when it has ended since its token was accepted
   */
  async hold({ sessionId, userId }: SessionPrincipal): Promise<void> {
    const live = await this.repository.holdLive(sessionId, userId, this.clock.nowMs());
    if (!live) throw new UnauthenticatedError();
  }

  /** One page of the user's sessions that have not ended, newest first. */
  async list(
    userId: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<Session>> {
    const page = { belowId: decodeCursor(cursor), limit };
    const rows = await this.repository.list(userId, page, this.clock.nowMs());
    const { items, nextCursor } = toPage(rows, limit, (row) => row.id);
    return { items: items.map(toSession), nextCursor };
  }

  /**
   * @throws {SessionNotFoundError} when the user has no such live session
   * @throws {UnauthenticatedError} when one that logs out has ended since its token was accepted
   */
  async revoke(
    id: string,
    userId: string,
    origin: RequestOrigin,
    action: 'auth.logout' | 'auth.session-revoked' = 'auth.session-revoked',
  ): Promise<void> {
    await this.database.transaction(async () => {
      const isRevoked = await this.repository.revoke(id, userId, this.clock.nowMs());
      if (!isRevoked) throw new (action === 'auth.logout' ? UnauthenticatedError : SessionNotFoundError)();
      await this.events.sessionsEnded([id], { actor: userId, userId, origin, action });
      this.#forget([id]);
    });
  }

  /** Ends every session of the user but the one kept. */
  async revokeOthers(keptId: string, userId: string, origin: RequestOrigin): Promise<void> {
    await this.database.transaction(async () => {
      const revokedIds = await this.revokeAll(userId, keptId);
      await this.events.sessionsEnded(revokedIds, { actor: userId, userId, origin });
    });
  }

  /** Ends every session of the user but the one kept, in the surrounding transaction. @returns the ids of those */
  async revokeAll(userId: string, keptId?: string): Promise<string[]> {
    const ids = await this.repository.revokeAll(userId, keptId, this.clock.nowMs());
    this.#forget(ids);
    return ids;
  }

  /** Forgets the sessions that have ended. */
  async sweep(): Promise<void> {
    await this.repository.deleteEnded(this.clock.nowMs());
  }

  /** Looks these up anew at their next use once it is committed, which would be a second later otherwise. */
  #forget(ids: readonly string[]): void {
    this.database.afterCommit(() => ids.forEach((id) => this.#live.delete(id)));
  }

  async #endFamily(id: string, token: string, origin: RequestOrigin): Promise<void> {
    const userId = await this.repository.revokeFamily(id, this.clock.nowMs());
    if (userId === undefined) return;
    this.#forget([id]);
    this.#logger.warn({ sessionId: id }, 'a used refresh token came back, its session was ended');
    await this.events.refreshReplayed(userId, id, token, origin);
  }

  async #loadLive(id: string): Promise<LiveSession | undefined> {
    const row = await this.repository.findLive(id, this.clock.nowMs());
    return row && toLiveSession(id, row);
  }
}
