import { Injectable } from '@nestjs/common';
import { expressionBuilder, type Insertable, type Selectable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

const ALL = 2 ** 31 - 1;

export type SessionRow = Selectable<Schema['sessions']>;
export type LiveSessionRow = Pick<SessionRow, 'user_id' | 'auth_time'> & { readonly roles: string };

@Injectable()
export class SessionsRepository {
  readonly #findLive;
  readonly #lockUser;
  readonly #revokeOldest;

  constructor(private readonly database: Database) {
    this.#findLive = database.prepare((query, id: string, nowMs: number) =>
      query
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select(['sessions.user_id', 'sessions.auth_time', 'users.roles'])
        .where('sessions.id', '=', id)
        .where(isLive(nowMs))
        .where('users.disabled_at', 'is', null),
    );
    this.#lockUser = database.prepare((query, userId: string, passwordChangedAtMs: number) => {
      const user = query
        .selectFrom('users')
        .select('roles')
        .where('id', '=', userId)
        .where('password_changed_at', '=', passwordChangedAtMs)
        .where('disabled_at', 'is', null);
      return database.kind === 'postgres' ? user.forNoKeyUpdate() : user;
    });
    this.#revokeOldest = database.prepare((query, userId: string, kept: number, nowMs: number) =>
      query
        .updateTable('sessions')
        .set({ revoked_at: nowMs })
        .where('id', 'in', (oldest) =>
          oldest
            .selectFrom('sessions')
            .select('id')
            .where('user_id', '=', userId)
            .where(isLive(nowMs))
            // Those that seem to begin later were begun before the clock was set back.
            .orderBy((session) => session('created_at', '>', nowMs))
            .orderBy('id', 'desc')
            // A limit that is a parameter makes SQLite plan the statement anew each time, and it takes no offset alone.
            .limit(sql.lit(ALL))
            .offset(kept),
        )
        .returning('id'),
    );
  }

  /** The session's user and their roles, unless the session ended or the user is disabled. */
  async findLive(id: string, nowMs: number): Promise<LiveSessionRow | undefined> {
    const [row] = await this.#findLive(id, nowMs);
    return row;
  }

  /** The same, and nobody changes the user or ends the session until the surrounding transaction ends. */
  async holdLive(id: string, userId: string, nowMs: number): Promise<LiveSessionRow | undefined> {
    const user = this.database.query.selectFrom('users').select('id').where('id', '=', userId);
    const session = this.database.query.selectFrom('sessions').select('id').where('id', '=', id);
    // Locked first: the last statement then sees what others did meanwhile.
    if (this.database.kind === 'postgres') {
      await user.forNoKeyUpdate().execute();
      await session.forShare().execute();
    }
    return this.findLive(id, nowMs);
  }

  /** Those that have not ended, newest first; one row more than `limit` tells that there is a next page. */
  async list(
    userId: string,
    { belowId, limit }: { readonly belowId: string | undefined; readonly limit: number },
    nowMs: number,
  ): Promise<SessionRow[]> {
    let query = this.database.query
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where(isLive(nowMs));
    if (belowId !== undefined) query = query.where('id', '<', belowId);
    return query
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
  }

  async find(id: string): Promise<SessionRow> {
    return this.database.query
      .selectFrom('sessions')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
  }

  async insert(session: Insertable<Schema['sessions']>): Promise<void> {
    await this.database.insert('sessions', session);
  }

  /**
   * The roles of a user who may begin a session: they exist, are not disabled, and their password is still the one
   * that was verified. Others who begin one for them wait for the surrounding transaction.
   */
  async lockUser(userId: string, passwordChangedAtMs: number): Promise<string | undefined> {
    const [row] = await this.#lockUser(userId, passwordChangedAtMs);
    return row?.roles;
  }

  /** Ends the user's oldest sessions, so that at most `kept` are live. @returns the ids of those it ended */
  async revokeOldest(userId: string, kept: number, nowMs: number): Promise<string[]> {
    const rows = await this.#revokeOldest(userId, kept, nowMs);
    return rows.map(({ id }) => id);
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
      .where(isLive(nowMs))
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Ends a session whosever it is: the answer to a replayed refresh token. @returns its user, if it was live */
  async revokeFamily(id: string, nowMs: number): Promise<string | undefined> {
    const row = await this.database.query
      .updateTable('sessions')
      .set({ revoked_at: nowMs })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning('user_id')
      .executeTakeFirst();
    return row?.user_id;
  }

  /** All but `keptId`. @returns the ids of those that ended */
  async revokeAll(userId: string, keptId: string | undefined, nowMs: number): Promise<string[]> {
    let query = this.database.query
      .updateTable('sessions')
      .set({ revoked_at: nowMs })
      .where('user_id', '=', userId)
      .where(isLive(nowMs));
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

/** Neither revoked nor idle for too long nor too old. */
function isLive(nowMs: number) {
  const session = expressionBuilder<Schema, 'sessions'>();
  return session.and([
    session('sessions.revoked_at', 'is', null),
    session('sessions.idle_expires_at', '>', nowMs),
    session('sessions.expires_at', '>', nowMs),
  ]);
}
