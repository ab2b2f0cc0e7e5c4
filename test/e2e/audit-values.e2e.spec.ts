import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditService } from '../../src/audit/audit.service.js';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { newAccount, newEmail, PASSWORD, setDisabled } from '../support/accounts.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { beforeNext } from '../support/next-call.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

/** What `audit contains` looks up: nothing of these values is in the log but a digest. */
describe('the audit log knows', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    async function eventsAbout(value: string): Promise<string[]> {
      const events = await app.nest.get(AuditService, { strict: false }).findByValue(value);
      return events.map(({ action, outcome }) => `${action} ${outcome}`);
    }

    it('an e-mail address that was registered, signed in with and guessed at, however it is spelled', async () => {
      const { email } = await newAccount(app);
      for (let guess = 0; guess < 6; guess++) {
        await app.post('/v1/auth/login', { email: email.toUpperCase(), password: `${PASSWORD}${guess}` });
      }
      const known = [
        'auth.register success',
        'auth.login success',
        ...Array.from({ length: 5 }, () => 'auth.login-failed failure'),
        'auth.login-throttled failure',
      ];
      expect(await eventsAbout(email)).toEqual(known);
      expect(await eventsAbout(email.toUpperCase())).toEqual(known);
    });

    it('an e-mail address that has no account, and none that nobody gave', async () => {
      const email = newEmail();
      await app.post('/v1/auth/login', { email, password: PASSWORD });
      expect(await eventsAbout(email)).toEqual(['auth.login-failed failure']);
      expect(await eventsAbout(newEmail())).toEqual([]);
    });

    it('an e-mail address whose user is disabled between their password, or their code, and the session', async () => {
      const { id, email, token } = await newAccount(app);
      const logIn = (code?: string) => app.post('/v1/auth/login', { email, password: PASSWORD, code });
      const logInAtThatMoment = async (code?: string) => {
        const sessions = app.nest.get(SessionsService, { strict: false });
        beforeNext(sessions, 'begin', () => setDisabled(app, id, 0));
        expectProblem(await logIn(code), 'ERR_INVALID_CREDENTIALS');
        await setDisabled(app, id, null);
      };
      const phone = new AuthenticatorApp(
        (await app.request('POST', '/v1/auth/totp', { token })).string('uri'),
      );
      await logInAtThatMoment();
      const code = phone.code(app.clock.nowMs(), -1);
      expect((await app.post('/v1/auth/totp/activate', { code }, token)).status).toBe(200);
      await logInAtThatMoment(phone.code(app.clock.nowMs()));
      expect(await eventsAbout(email)).toEqual([
        'auth.register success',
        'auth.login success',
        'auth.login-failed failure',
        'auth.login-failed failure',
      ]);
      expect((await logIn(phone.code(app.clock.nowMs()))).status).toBe(200);
    });

    it('a refresh token that came back', async () => {
      const { refreshToken } = await newAccount(app);
      const next = await app.post('/v1/auth/refresh', { refreshToken });
      app.clock.advance(60);
      await app.post('/v1/auth/refresh', { refreshToken });
      expect(await eventsAbout(refreshToken)).toEqual(['auth.refresh-replayed failure']);
      expect(await eventsAbout(next.string('refreshToken'))).toEqual([]);
    });

    it('an API key and the token of a share', async () => {
      const { token } = await newAccount(app);
      const key = await app.post('/v1/api-keys', { name: 'ci', scopes: ['secrets:read'] }, token);
      expect(await eventsAbout(key.string('key'))).toEqual(['api-key.create success']);
      const share = await app.post('/v1/shares', { data: { a: 'b' }, passphrase: PASSWORD }, token);
      const reveal = (passphrase: string) =>
        app.post(`/v1/shares/${share.string('id')}/reveal`, { token: share.string('token'), passphrase });
      await reveal('wrong');
      await reveal(PASSWORD);
      expect(await eventsAbout(share.string('token'))).toEqual([
        'share.create success',
        'share.reveal failure',
        'share.reveal success',
      ]);
    });
  });
});
