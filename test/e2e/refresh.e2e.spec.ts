import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newAccount, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const DAY_SECONDS = 24 * 3_600;

describe('refresh', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    function refresh(refreshToken: string): Promise<HttpsResponse> {
      return app.post('/v1/auth/refresh', { refreshToken });
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
      const { token, refreshToken } = await newAccount(app);
      const successor = await refresh(refreshToken);
      expectProblem(await refresh(refreshToken), 'ERR_INVALID_REFRESH_TOKEN');
      expectProblem(await refresh(successor.string('refreshToken')), 'ERR_INVALID_REFRESH_TOKEN');
      for (const accessToken of [token, successor.string('accessToken')]) {
        expectProblem(await app.get('/v1/users/me', accessToken), 'ERR_UNAUTHENTICATED');
      }
    });

    it('ends only the family of a token used twice', async () => {
      const { email, refreshToken } = await newAccount(app);
      const other = await signIn(app, email);
      await refresh(refreshToken);
      await refresh(refreshToken);
      expect((await refresh(other.refreshToken)).status).toBe(200);
    });

    it('gives at most one of 16 racing callers a successor and then ends the family', async () => {
      const { token, refreshToken } = await newAccount(app);
      const responses = await Promise.all(Array.from({ length: 16 }, () => refresh(refreshToken)));
      const winners = responses.filter(({ status }) => status === 200);
      expect(winners.length).toBeLessThanOrEqual(1);
      for (const response of responses) {
        if (response.status !== 200) expectProblem(response, 'ERR_INVALID_REFRESH_TOKEN');
      }
      for (const winner of winners) {
        expectProblem(await refresh(winner.string('refreshToken')), 'ERR_INVALID_REFRESH_TOKEN');
      }
      expectProblem(await app.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
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

    it('refuses everything that is no refresh token', async () => {
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
        expect([400, 401]).toContain(response.status);
        expectProblem(response, response.status === 400 ? 'ERR_VALIDATION' : 'ERR_INVALID_REFRESH_TOKEN');
      }
      expect((await refresh(refreshToken)).status).toBe(200);
    });
  });
});
