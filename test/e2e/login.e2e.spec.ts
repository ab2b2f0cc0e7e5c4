import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newAccount, newEmail, PASSWORD, signIn, setDisabled } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const WRONG = 'incorrect horse battery staple';

describe('login', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    function login(email: string, password: string): Promise<HttpsResponse> {
      return app.post('/v1/auth/login', { email, password });
    }

    it('gives tokens with their lifetimes in seconds', async () => {
      const { email } = await newAccount(app);
      const response = await login(email, PASSWORD);
      expect(response.status).toBe(200);
      expect(response.body).toEqual({
        tokenType: 'Bearer',
        accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        expiresIn: 300,
        refreshToken: expect.stringMatching(/^sasr_[\w-]{49}$/),
        refreshExpiresIn: 7 * 24 * 3_600,
        deviceToken: expect.stringMatching(/^sasd_[\w-]{80,200}$/),
      });
    });

    it('answers an unknown address, a wrong password and a disabled user alike', async () => {
      const [known, disabled] = await Promise.all([newAccount(app), newAccount(app)]);
      await setDisabled(app, disabled.id, 1);
      const answers = await Promise.all([
        login(known.email, WRONG),
        login(newEmail(), WRONG),
        login(disabled.email, PASSWORD),
      ]);
      const visible = answers.map((answer) => {
        expectProblem(answer, 'ERR_INVALID_CREDENTIALS');
        const { 'x-request-id': _id, date: _date, ...headers } = answer.headers;
        const { instance: _instance, ...body } = answer.members;
        return { headers, body, length: answer.text.length };
      });
      expect(visible[1]).toEqual(visible[0]);
      expect(visible[2]).toEqual(visible[0]);
    });

    it('knows the address in another case and Unicode form', async () => {
      const email = `ada${newEmail()}`;
      await app.post('/v1/auth/register', { email, password: PASSWORD });
      for (const spelling of [email.toUpperCase(), email.replace('a', 'Ａ'), email.replace('a', 'ａ')]) {
        expect((await login(spelling, PASSWORD)).status).toBe(200);
      }
    });

    it('takes a password in any Unicode composition and in no other case', async () => {
      const email = newEmail();
      await app.post('/v1/auth/register', { email, password: 'café près de la gare' });
      expect((await login(email, 'cafe\u0301 pre\u0300s de la gare')).status).toBe(200);
      expectProblem(await login(email, 'CAFÉ PRÈS DE LA GARE'), 'ERR_INVALID_CREDENTIALS');
    });

    it('refuses wrong passwords of every length alike', async () => {
      const { email } = await newAccount(app);
      for (const password of ['', 'x', 'x'.repeat(1_025), '\u0000', `${PASSWORD} `]) {
        expectProblem(await login(email, password), 'ERR_INVALID_CREDENTIALS');
      }
    });

    it('ends the sessions of a user within a second of their being disabled', async () => {
      const { id, token, refreshToken } = await newAccount(app);
      await setDisabled(app, id, 1);
      app.clock.advance(1);
      expectProblem(await app.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
      expectProblem(await app.post('/v1/auth/refresh', { refreshToken }), 'ERR_INVALID_REFRESH_TOKEN');
    });

    it('lets one user be signed in many times at once', async () => {
      const { email } = await newAccount(app);
      const sessions = await Promise.all(Array.from({ length: 5 }, () => signIn(app, email)));
      const answers = await Promise.all(sessions.map(({ token }) => app.get('/v1/users/me', token)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    });
  });
});
