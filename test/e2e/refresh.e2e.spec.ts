import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { newAccount, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { SYSTEM_OWNER } from '../../src/keys/key-purposes.js';
import { testPostgresUrl } from '../support/postgres-database.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf, retirePrimary } from '../support/retired-keys.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;
const DAY_SECONDS = 24 * 3_600;
const GRACE_SECONDS = 10;

describe('refresh', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let other: TestApp;
    let strict: TestApp;
    beforeAll(async () => {
      app = await newApp();
      other = await app.newInstance();
      strict = await app.newInstance({ REFRESH_GRACE_SECONDS: '0' });
    });
    afterAll(async () => {
      await strict.close();
      await other.close();
      await app.close();
    });

    function refresh(refreshToken: string, at = app): Promise<HttpsResponse> {
      return at.post('/v1/auth/refresh', { refreshToken });
    }

    function replaysOf(userId: string) {
      return databaseOf(app)
        .query.selectFrom('audit_events')
        .selectAll()
        .where('owner_id', '=', userId)
        .where('action', '=', 'auth.refresh-replayed')
        .execute();
    }

    it('trades a refresh token for a new pair that continues the session', async () => {
      const first = await newAccount(app);
      const response = await refresh(first.refreshToken);
      expect(response.status).toBe(200);
      expect(response.body).toEqual({
        tokenType: 'Bearer',
        accessToken: expect.any(String),
        expiresIn: 300,
        refreshToken: expect.stringMatching(/^sasr_[\w-]{49}$/),
        refreshExpiresIn: 7 * DAY_SECONDS,
      });
      expect(response.members['refreshToken']).not.toBe(first.refreshToken);
      expect((await app.get('/v1/users/me', response.string('accessToken'))).members['id']).toBe(first.id);
      expect((await app.get('/v1/auth/sessions', response.string('accessToken'))).items).toHaveLength(1);
    });

    it('refuses a refresh token used twice and ends its whole family, access tokens included', async () => {
      const { id, token, refreshToken } = await newAccount(app);
      const successor = await refresh(refreshToken);
      app.clock.advance(GRACE_SECONDS);
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
      expectProblem(await refresh(successor.string('refreshToken')), 'ERR_INVALID_REFRESH_TOKEN');
      for (const accessToken of [token, successor.string('accessToken')]) {
        expectProblem(await app.get('/v1/users/me', accessToken), 'ERR_UNAUTHENTICATED');
      }
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
      expect(await replaysOf(id)).toHaveLength(1);
    });

    it('ends only the family of a token used twice', async () => {
      const { email, refreshToken } = await newAccount(app);
      const other = await signIn(app, email);
      await refresh(refreshToken);
      app.clock.advance(GRACE_SECONDS);
      await refresh(refreshToken);
      expect((await refresh(other.refreshToken)).status).toBe(200);
    });

    it('gives 20 racing callers one successor, on whatever instance', async () => {
      const { id, refreshToken } = await newAccount(app);
      const responses = await Promise.all(
        Array.from({ length: 20 }, (_, index) => refresh(refreshToken, index % 2 === 0 ? app : other)),
      );
      expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200));
      const successors = new Set(responses.map((response) => response.string('refreshToken')));
      expect(successors.size).toBe(1);
      for (const response of responses) {
        expect((await app.get('/v1/users/me', response.string('accessToken'))).status).toBe(200);
      }
      const unused = await databaseOf(app)
        .query.selectFrom('refresh_tokens')
        .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
        .select('digest')
        .where('sessions.user_id', '=', id)
        .where('used_at', 'is', null)
        .execute();
      expect(unused).toHaveLength(1);
      expect((await refresh([...successors][0]!)).status).toBe(200);
      expect(await replaysOf(id)).toEqual([]);
    });

    it('gives whoever lost the answer the same successor for ten seconds, and no longer', async () => {
      const { token, refreshToken } = await newAccount(app);
      const lost = await refresh(refreshToken);
      app.clock.advance(GRACE_SECONDS - 0.001);
      const again = await refresh(refreshToken, other);
      expect(again.string('refreshToken')).toBe(lost.string('refreshToken'));
      expect(again.string('accessToken')).not.toBe(lost.string('accessToken'));
      expect(again.members['refreshExpiresIn']).toBe(7 * DAY_SECONDS - GRACE_SECONDS);
      expect((await app.get('/v1/auth/sessions', token)).items).toHaveLength(1);
      app.clock.advance(0.001);
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
    });

    it('gives it no more once the successor is used', async () => {
      const { id, token, refreshToken } = await newAccount(app);
      const successor = await refresh(refreshToken);
      expect((await refresh(successor.string('refreshToken'))).status).toBe(200);
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
      expectProblem(await app.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
      expect(await replaysOf(id)).toHaveLength(1);
    });

    it('gives it to nobody after a logout', async () => {
      const { id, token, refreshToken } = await newAccount(app);
      await refresh(refreshToken);
      await app.request('POST', '/v1/auth/logout', { token });
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
      expect(await replaysOf(id)).toEqual([]);
    });

    it('gives the same successor after the key that derives it was rotated', async () => {
      const { refreshToken } = await newAccount(app);
      const lost = await refresh(refreshToken);
      await retirePrimary(app, 'refresh-token', SYSTEM_OWNER);
      app.clock.advance(1);
      const again = await refresh(refreshToken);
      expect(again.string('refreshToken')).toBe(lost.string('refreshToken'));
      expect((await refresh(again.string('refreshToken'))).status).toBe(200);
    });

    it('gives at most one of 16 racing callers a successor without a grace period, and ends the family', async () => {
      const { id, token, refreshToken } = await newAccount(strict);
      const responses = await Promise.all(Array.from({ length: 16 }, () => refresh(refreshToken, strict)));
      const winners = responses.filter(({ status }) => status === 200);
      expect(winners.length).toBeLessThanOrEqual(1);
      for (const response of responses) {
        if (response.status !== 200) expectProblem(response, 'ERR_INVALID_REFRESH_TOKEN');
      }
      for (const winner of winners) {
        expectProblem(await refresh(winner.string('refreshToken'), strict), 'ERR_INVALID_REFRESH_TOKEN');
      }
      expectProblem(await strict.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
      expect(await replaysOf(id)).toHaveLength(1);
    });

    it('takes a used token for a replay when the clock is set back an hour, and unused ones go on', async () => {
      const { refreshToken } = await newAccount(app);
      const other = await newAccount(app);
      await refresh(refreshToken);
      app.clock.advance(-3_600);
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
      const successor = await refresh(other.refreshToken);
      expect(successor.status).toBe(200);
      expect((await app.get('/v1/users/me', successor.string('accessToken'))).members['id']).toBe(other.id);
      app.clock.advance(3_600);
      expect((await refresh(successor.string('refreshToken'))).status).toBe(200);
    });

    it('lets a session lie idle for seven days', async () => {
      const { refreshToken } = await newAccount(app);
      app.clock.advance(7 * DAY_SECONDS - 1);
      const successor = await refresh(refreshToken);
      expect(successor.status).toBe(200);
      app.clock.advance(7 * DAY_SECONDS);
      expectProblem(await refresh(successor.string('refreshToken')), 'ERR_INVALID_REFRESH_TOKEN');
    });

    it('ends a session 30 days after the login however often it is used', async () => {
      let { refreshToken } = await newAccount(app);
      for (const days of [5.9, 5.9, 5.9, 5.9, 5.9]) {
        app.clock.advance(days * DAY_SECONDS);
        const successor = await refresh(refreshToken);
        expect(successor.status).toBe(200);
        refreshToken = successor.string('refreshToken');
      }
      expect((await refresh(refreshToken)).members['refreshExpiresIn']).toBe(0.5 * DAY_SECONDS);
      app.clock.advance(0.5 * DAY_SECONDS);
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
    });

    it('refuses everything that is no refresh token alike, an access token too', async () => {
      const { token, refreshToken } = await newAccount(app);
      const lastChanged = refreshToken.slice(0, -1) + (refreshToken.endsWith('A') ? 'B' : 'A');
      const strangers = [
        '',
        'x',
        token,
        lastChanged,
        `sasr_${'A'.repeat(49)}`,
        `${refreshToken}\n`,
        refreshToken.toUpperCase(),
      ];
      for (const stranger of strangers) {
        const response = await refresh(stranger);
        expect(response.status).toBe(401);
        expectProblem(response, 'ERR_INVALID_REFRESH_TOKEN');
      }
      expect((await refresh(refreshToken)).status).toBe(200);
    });
  });
});

describePostgres('a refresh on PostgreSQL', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await newTestApp({ database: 'postgres' });
  });
  afterAll(() => app.close());

  it('waits for who ends the session before it locks the token, so that neither waits for the other', async () => {
    const { id, refreshToken } = await newAccount(app);
    const database = databaseOf(app);
    const { refreshed } = await database.transaction(async () => {
      const { query } = database;
      const sessions = query.selectFrom('sessions').select('id').where('user_id', '=', id);
      const { id: sessionId } = await sessions.forUpdate().executeTakeFirstOrThrow();
      const waits = app.post('/v1/auth/refresh', { refreshToken });
      while (!(await blocksAnother())) await sql`select pg_stat_clear_snapshot()`.execute(query);
      const tokens = query.selectFrom('refresh_tokens').select('digest').where('session_id', '=', sessionId);
      expect(await tokens.forUpdate().skipLocked().execute()).toHaveLength(1);
      return { refreshed: waits };
    });
    expect((await refreshed).status).toBe(200);
  });

  /** Whether the surrounding transaction does. */
  async function blocksAnother(): Promise<boolean> {
    const waiting = sql`select pid from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))`;
    const { rows } = await waiting.execute(databaseOf(app).query);
    return rows.length > 0;
  }
});
