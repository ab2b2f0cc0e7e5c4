import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { Database } from '../../src/database/database.js';
import { newAccount, PASSWORD, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { readToken } from '../support/forge-token.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

describe('sessions', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let other: TestApp;
    beforeAll(async () => {
      app = await newApp();
      other = await app.newInstance();
    });
    afterAll(async () => {
      await other.close();
      await app.close();
    });

    function logOut(token: string) {
      return app.request('POST', '/v1/auth/logout', { token });
    }

    async function isAlive(token: string, at = app): Promise<boolean> {
      const response = await at.get('/v1/users/me', token);
      if (response.status !== 200) expectProblem(response, 'ERR_UNAUTHENTICATED');
      return response.status === 200;
    }

    it('logs out at once: the access and the refresh token are dead', async () => {
      const { token, refreshToken } = await newAccount(app);
      expect(await isAlive(token)).toBe(true);
      const response = await logOut(token);
      expect({ status: response.status, text: response.text }).toEqual({ status: 204, text: '' });
      expect(await isAlive(token)).toBe(false);
      expectProblem(await app.post('/v1/auth/refresh', { refreshToken }), 'ERR_INVALID_REFRESH_TOKEN');
      expectProblem(await logOut(token), 'ERR_UNAUTHENTICATED');
    });

    it('ends an idle session with the access tokens that would live longer', async () => {
      const brief = await app.newInstance({ REFRESH_IDLE_TTL: '60', ACCESS_TOKEN_TTL: '3600' });
      try {
        const { email, token, refreshToken } = await newAccount(brief);
        app.clock.advance(59);
        expect(await isAlive(token, brief)).toBe(true);
        app.clock.advance(1);
        expect(await isAlive(token, brief)).toBe(false);
        const next = await signIn(brief, email);
        const revoke = await brief.request('DELETE', `/v1/auth/sessions/${sessionOf(token)}`, {
          token: next.token,
        });
        expectProblem(revoke, 'ERR_SESSION_NOT_FOUND');
        expectProblem(await brief.post('/v1/auth/refresh', { refreshToken }), 'ERR_INVALID_REFRESH_TOKEN');
      } finally {
        await brief.close();
      }
    });

    it('logs out one of 16 at once, and tells the others that their token is dead', async () => {
      const { token } = await newAccount(app);
      const answers = await Promise.all(Array.from({ length: 16 }, () => logOut(token)));
      const refused = answers.filter(({ status }) => status !== 204);
      expect(refused).toHaveLength(15);
      for (const response of refused) expectProblem(response, 'ERR_UNAUTHENTICATED');
    });

    it('logs out on every other instance within a second', async () => {
      const { token, refreshToken } = await newAccount(app);
      expect(await isAlive(token, other)).toBe(true);
      await logOut(token);
      app.clock.advance(1);
      expect(await isAlive(token, other)).toBe(false);
      expectProblem(await other.post('/v1/auth/refresh', { refreshToken }), 'ERR_INVALID_REFRESH_TOKEN');
    });

    it('does not live on in an instance whose clock is set back', async () => {
      const { token } = await newAccount(app);
      app.clock.advance(120);
      expect(await isAlive(token, other)).toBe(true);
      await logOut(token);
      app.clock.advance(-60);
      expect(await isAlive(token, other)).toBe(false);
      app.clock.advance(60);
    });

    it('forgets sessions that have ended, and only those', async () => {
      const database = app.nest.get(Database, { strict: false });
      const sessionsOf = (userId: string) =>
        database.query.selectFrom('sessions').select('id').where('user_id', '=', userId).execute();
      const ended = await newAccount(app);
      const live = await newAccount(app);
      await logOut(ended.token);
      const idle = await newAccount(app);
      const touched = database.query.updateTable('sessions').set({ idle_expires_at: app.clock.nowMs() });
      await touched.where('user_id', '=', idle.id).execute();
      await app.nest.get(SessionsService, { strict: false }).sweep();
      for (const { id } of [ended, idle]) expect(await sessionsOf(id)).toEqual([]);
      expect(await sessionsOf(live.id)).toHaveLength(1);
      expect(await isAlive(live.token)).toBe(true);
    });

    it('accepts on one instance what another has issued', async () => {
      const { token, refreshToken } = await newAccount(app);
      expect(await isAlive(token, other)).toBe(true);
      const successor = await other.post('/v1/auth/refresh', { refreshToken });
      expect(await isAlive(successor.string('accessToken'))).toBe(true);
    });

    it('lists the live sessions of the user, newest first, and marks the current one', async () => {
      const { email, token } = await newAccount(app);
      const createdAt = app.clock.iso();
      app.clock.advance(60);
      const login = await app.request('POST', '/v1/auth/login', {
        json: { email, password: PASSWORD },
        headers: { 'user-agent': 'e2e/1.0' },
      });
      const { body } = await app.get('/v1/auth/sessions', login.string('accessToken'));
      const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
      const ip = '127.0.0.1';
      const now = app.clock.iso();
      expect(body).toEqual({
        items: [
          { id, createdAt: now, lastUsedAt: now, ip, userAgent: 'e2e/1.0', current: true },
          { id, createdAt, lastUsedAt: createdAt, ip, userAgent: '', current: false },
        ],
        nextCursor: null,
      });
      expect((await app.get('/v1/auth/sessions', token)).items).toHaveLength(2);
    });

    it('lists them a page at a time', async () => {
      const { email, token } = await newAccount(app);
      for (let login = 0; login < 4; login++) {
        app.clock.advance(1);
        await signIn(app, email);
      }
      const all = (await app.get('/v1/auth/sessions', token)).items;
      const page = (query: string) => app.get(`/v1/auth/sessions?limit=2${query}`, token);
      const first = await page('');
      const second = await page(`&cursor=${first.string('nextCursor')}`);
      const third = await page(`&cursor=${second.string('nextCursor')}`);
      expect(third.members['nextCursor']).toBeNull();
      const pages = [first, second, third];
      expect(pages.map(({ items }) => items.length)).toEqual([2, 2, 1]);
      expect(pages.flatMap(({ items }) => items)).toEqual(all);
      for (const query of ['?limit=0', '?limit=101', '?cursor=%2B']) {
        expect((await app.get(`/v1/auth/sessions${query}`, token)).status).toBe(400);
      }
    });

    it('lets a user have ten, and ends the oldest for one more, on every instance within a second', async () => {
      const { id, email, token } = await newAccount(app);
      const tokens = [token];
      const signInLater = async () => {
        app.clock.advance(1);
        tokens.push((await signIn(app, email)).token);
      };
      while (tokens.length < 10) await signInLater();
      const aliveAt = (at: TestApp) => Promise.all(tokens.map((one) => isAlive(one, at)));
      expect(await aliveAt(other)).not.toContain(false);
      await signInLater();
      const expected = tokens.map((_, index) => index > 0);
      expect(await aliveAt(app)).toEqual(expected);
      expect(await aliveAt(other)).toEqual(expected);
      const ended = await databaseOf(app)
        .query.selectFrom('audit_events')
        .selectAll()
        .where('owner_id', '=', id)
        .where('action', '=', 'auth.session-revoked')
        .execute();
      expect(ended).toMatchObject([{ actor: 'system', outcome: 'success' }]);
    });

    it('ends none of who has fewer, however many have ended', async () => {
      const few = await app.newInstance({ MAX_SESSIONS: '2' });
      const { email, token } = await newAccount(few);
      for (let login = 0; login < 3; login++) {
        app.clock.advance(1);
        await few.request('POST', '/v1/auth/logout', { token: (await signIn(few, email)).token });
      }
      const last = await signIn(few, email);
      expect([await isAlive(token, few), await isAlive(last.token, few)]).toEqual([true, true]);
      await few.close();
    });

    it('ends those first that were begun before the clock was set back', async () => {
      const few = await app.newInstance({ MAX_SESSIONS: '2' });
      const { email } = await newAccount(few);
      await signIn(few, email);
      app.clock.advance(-3_600);
      const first = await signIn(few, email);
      app.clock.advance(1);
      const second = await signIn(few, email);
      expect([await isAlive(first.token, few), await isAlive(second.token, few)]).toEqual([true, true]);
      app.clock.advance(3_600);
      await few.close();
    });

    it('leaves as many live as a user may have when 16 are begun at once', async () => {
      const few = await app.newInstance({ MAX_SESSIONS: '3' });
      const { email } = await newAccount(few);
      app.clock.advance(1);
      const logins = await Promise.all(Array.from({ length: 16 }, () => signIn(few, email)));
      const alive = await Promise.all(logins.map(({ token }) => isAlive(token, few)));
      await few.close();
      expect(alive.filter(Boolean)).toHaveLength(3);
    });

    it('gives no access token that outlives it', async () => {
      const brief = await app.newInstance({ REFRESH_ABSOLUTE_TTL: '60', ACCESS_TOKEN_TTL: '3600' });
      const { email } = await newAccount(brief);
      const { members } = await brief.post('/v1/auth/login', { email, password: PASSWORD });
      await brief.close();
      expect(members).toMatchObject({ expiresIn: 60, refreshExpiresIn: 60 });
      expect(readToken(String(members['accessToken'])).payload).toMatchObject({
        exp: Math.floor(app.clock.nowMs() / 1_000) + 60,
      });
    });

    it('ends one session of the user, by its id', async () => {
      const { email, token } = await newAccount(app);
      const second = await signIn(app, email);
      const { items } = await app.get('/v1/auth/sessions', token);
      const secondId = String(items.find(({ current }) => current === false)?.['id']);
      const path = `/v1/auth/sessions/${secondId}`;
      expect((await app.request('DELETE', path, { token })).status).toBe(204);
      expect(await isAlive(second.token)).toBe(false);
      expect(await isAlive(token)).toBe(true);
      expect((await app.get('/v1/auth/sessions', token)).items).toHaveLength(1);
      expectProblem(await app.request('DELETE', path, { token }), 'ERR_SESSION_NOT_FOUND');
    });

    it('ends all other sessions of the user and of nobody else', async () => {
      const [{ email, token }, stranger] = await Promise.all([newAccount(app), newAccount(app)]);
      const [second, third] = await Promise.all([signIn(app, email), signIn(app, email)]);
      expect((await app.request('DELETE', '/v1/auth/sessions', { token })).status).toBe(204);
      const alive = await Promise.all(
        [token, second.token, third.token, stranger.token].map((one) => isAlive(one)),
      );
      expect(alive).toEqual([true, false, false, true]);
    });

    it("hides another user's session: it is as unknown as an invented one", async () => {
      const [owner, stranger] = await Promise.all([newAccount(app), newAccount(app)]);
      const id = String((await app.get('/v1/auth/sessions', owner.token)).items[0]?.['id']);
      for (const path of [`/v1/auth/sessions/${id}`, `/v1/auth/sessions/${randomUUID()}`]) {
        const response = await app.request('DELETE', path, { token: stranger.token });
        expectProblem(response, 'ERR_SESSION_NOT_FOUND');
      }
      expect(await isAlive(owner.token)).toBe(true);
    });
  });
});

/** The session that an access token is of. */
function sessionOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    sid: string;
  };
  return claims.sid;
}
