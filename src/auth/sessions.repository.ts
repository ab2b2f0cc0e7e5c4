import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type SessionRow = Selectable<Schema['sessions']>;

@Injectable()
export class SessionsRepository {
  readonly #findLive;

  constructor(private readonly database: Database) {
    this.#findLive = database.prepare((query, id: string, nowMs: number) =>
      query
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select(['sessions.user_id', 'sessions.auth_time', 'users.roles'])
        .where('sessions.id', '=', id)
        .where('sessions.revoked_at', 'is', null)
        .where('sessions.expires_at', '>', nowMs)
        .where('users.disabled_at', 'is', null),
    );
  }

  /** The session's user and their roles, unless the session ended or the user is disabled. */
  async findLive(
    id: string,
    nowMs: number,
  ): Promise<(Pick<SessionRow, 'user_id' | 'auth_time'> & { roles: string }) | undefined> {
    const [row] = await this.#findLive(id, nowMs);
    return row;
  }

  async list(userId: string, nowMs: number): Promise<SessionRow[]> {
    return this.database.query
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where('revoked_at', 'is', null)
      .where('idle_expires_at', '>', nowMs)
      .where('expires_at', '>', nowMs)
      .orderBy('id', 'desc')
      .execute();
  }

  async insert(session: Insertable<Schema['sessions']>): Promise<void> {
    await this.database.insert('sessions', session);
  }

  async insertRefreshToken(digest: Uint8Array, sessionId: string, nowMs: number): Promise<void> {
    const row = { digest, session_id: sessionId, created_at: nowMs, used_at: null };
    await this.database.insert('refresh_tokens', row);
  }

  /**
   * Uses a refresh token up. Single use and expiry are decided inside this statement, so of any number
   * of callers at most one is given the session.
   */
  async redeemRefreshToken(digest: Uint8Array, nowMs: number): Promise<string | undefined> {
    const row = await this.database.query
      .updateTable('refresh_tokens')
      .set({ used_at: nowMs })
      .where('digest', '=', digest)
      .where('used_at', 'is', null)
      .where('session_id', 'in', (live) =>
        live
          .selectFrom('sessions')
          .innerJoin('users', 'users.id', 'sessions.user_id')
          .select('sessions.id')
          .where('sessions.revoked_at', 'is', null)
          .where('sessions.idle_expires_at', '>', nowMs)
          .where('sessions.expires_at', '>', nowMs)
          .where('users.disabled_at', 'is', null),
      )
      .returning('session_id')
      .executeTakeFirst();
    return row?.session_id;
  }

  /** The session of a refresh token that was used before. */
  async findSessionOfUsedToken(digest: Uint8Array): Promise<string | undefined> {
    const row = await this.database.query
      .selectFrom('refresh_tokens')
      .select('session_id')
      .where('digest', '=', digest)
      .where('used_at', 'is not', null)
      .executeTakeFirst();
    return row?.session_id;
  }

  /** Notes a use and extends the idle limit, never past the absolute one. */
  async touch(id: string, nowMs: number, idleTtlMs: number): Promise<SessionRow> {
    return this.database.query
      .updateTable('sessions')
      .set((column) => ({
        last_used_at: nowMs,
        idle_expires_at: column
          .case()
          .when('expires_at', '<', nowMs + idleTtlMs)
          .then(column.ref('expires_at'))
          .else(nowMs + idleTtlMs)
          .end(),
      }))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  /** @returns false when the user has no such live session */
  async revoke(id: string, userId: string, nowMs: number): Promise<boolean> {
    const row = await this.database.query
      .updateTable('sessions')
      .set({ revoked_at: nowMs })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where('revoked_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Ends a session whosever it is: the answer to a replayed refresh token. */
  async revokeFamily(id: string, nowMs: number): Promise<void> {
    await this.database.query
      .updateTable('sessions')
      .set({ revoked_at: nowMs })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .execute();
  }

  async revokeOthers(keptId: string, userId: string, nowMs: number): Promise<string[]> {
    const rows = await this.database.query
      .updateTable('sessions')
      .set({ revoked_at: nowMs })
      .where('user_id', '=', userId)
      .where('id', '!=', keptId)
      .where('revoked_at', 'is', null)
      .returning('id')
      .execute();
    return rows.map(({ id }) => id);
  }

  /** All but `keptId`. @returns the ids of those that ended */
  async revokeAll(userId: string, keptId: string | undefined, nowMs: number): Promise<string[]> {
    let query = this.database.query
      .updateTable('sessions')
      .set({ revoked_at: nowMs })
      .where('user_id', '=', userId)
      .where('revoked_at', 'is', null);
    if (keptId !== undefined) query = query.where('id', '!=', keptId);
    const rows = await query.returning('id').execute();
    return rows.map(({ id }) => id);
  }

  /** Removes the sessions that have ended, with their tokens. */
  async deleteEnded(nowMs: number): Promise<void> {
    await this.database.query
      .deleteFrom('sessions')
      .where((where) =>
        where.or([
          where('revoked_at', 'is not', null),
          where('idle_expires_at', '<=', nowMs),
          where('expires_at', '<=', nowMs),
        ]),
      )
      .execute();
  }
}
