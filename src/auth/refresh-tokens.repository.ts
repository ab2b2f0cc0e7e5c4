import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

interface UsedToken {
  readonly sessionId: string;
  readonly usedAtMs: number;
  readonly successorKeyId: string | null;
}

@Injectable()
export class RefreshTokensRepository {
  constructor(private readonly database: Database) {}

  async insert(digest: Uint8Array, sessionId: string, nowMs: number): Promise<void> {
    const row = { digest, session_id: sessionId, created_at: nowMs, used_at: null, successor_key_id: null };
    await this.database.insert('refresh_tokens', row);
  }

  /**
   * Uses a refresh token up. Single use and expiry are decided inside this statement, so of any number
   * of callers at most one is given the session.
   */
  async redeem(digest: Uint8Array, nowMs: number, successorKeyId: string): Promise<string | undefined> {
    await this.#lockSession(digest);
    const row = await this.database.query
      .updateTable('refresh_tokens')
      .set({ used_at: nowMs, successor_key_id: successorKeyId })
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

  /** What a refresh token was used for. */
  async findUsed(digest: Uint8Array): Promise<UsedToken | undefined> {
    return this.database.query
      .selectFrom('refresh_tokens')
      .select(['session_id as sessionId', 'used_at as usedAtMs', 'successor_key_id as successorKeyId'])
      .where('digest', '=', digest)
      .where('used_at', 'is not', null)
      .$narrowType<{ usedAtMs: number }>()
      .executeTakeFirst();
  }

  /** Whether the token could be used now. */
  async isGood(digest: Uint8Array, nowMs: number): Promise<boolean> {
    const row = await this.database.query
      .selectFrom('refresh_tokens')
      .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
      .select('sessions.id')
      .where('digest', '=', digest)
      .where('used_at', 'is', null)
      .where('sessions.revoked_at', 'is', null)
      .where('sessions.idle_expires_at', '>', nowMs)
      .where('sessions.expires_at', '>', nowMs)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Before the token, as whoever ends the session or the account does, or the two would wait for each other. */
  async #lockSession(digest: Uint8Array): Promise<void> {
    if (this.database.kind !== 'postgres') return;
    await this.database.query
      .selectFrom('sessions')
      .select('id')
      .where('id', '=', (token) =>
        token.selectFrom('refresh_tokens').select('session_id').where('digest', '=', digest),
      )
      .forNoKeyUpdate()
      .execute();
  }
}
