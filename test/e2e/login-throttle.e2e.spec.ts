import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PasswordHasher } from '../../src/crypto/password-hasher.js';
import { type Account, newAccount, newEmail, PASSWORD, setDisabled } from '../support/accounts.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const WRONG = 'incorrect horse battery staple';

interface Device {
  readonly deviceToken?: unknown;
  readonly at?: TestApp;
}

describe('guessing at passwords', () => {
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

    function login(
      email: string,
      password: string,
      { at = app, ...device }: Device = {},
    ): Promise<HttpsResponse> {
      return at.post('/v1/auth/login', { email, password, ...device });
    }

    async function fail(email: string, times: number, device: Device = {}): Promise<void> {
      for (let failure = 0; failure < times; failure++) {
        expectProblem(await login(email, WRONG, device), 'ERR_INVALID_CREDENTIALS');
      }
    }

    /** A user and the token of the device on which they have signed in. */
    async function newUser(): Promise<Account & { readonly deviceToken: string }> {
      const account = await newAccount(app);
      return { ...account, deviceToken: (await login(account.email, PASSWORD)).string('deviceToken') };
    }

    /** What passwords the hasher of the instance verifies while `work` runs. */
    async function hashesDuring(work: () => Promise<unknown>, at = app): Promise<number> {
      const hasher = at.nest.get(PasswordHasher, { strict: false });
      const verify = hasher.verify.bind(hasher);
      let hashes = 0;
      hasher.verify = (...args) => {
        hashes++;
        return verify(...args);
      };
      await work();
      hasher.verify = verify;
      return hashes;
    }

    it('refuses the right password like a wrong one from the fifth failure on, for a second and longer', async () => {
      const { email } = await newUser();
      await fail(email, 5);
      expectProblem(await login(email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
      app.clock.advance(1);
      await fail(email, 1);
      app.clock.advance(1.9);
      expectProblem(await login(email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
      app.clock.advance(0.1);
      expect((await login(email, PASSWORD)).status).toBe(200);
      await fail(email, 4);
      expect((await login(email, PASSWORD)).status).toBe(200);
    });

    it('verifies a hash of nobody for a refusal, on an instance that has judged none yet', async () => {
      const { email } = await newUser();
      await fail(email, 5);
      const restarted = await app.newInstance();
      try {
        expect(await hashesDuring(() => fail(email, 1, { at: restarted }), restarted)).toBe(1);
        await fail(newEmail(), 1, { at: restarted });
        expect(await hashesDuring(() => fail(email, 1, { at: restarted }), restarted)).toBe(0);
      } finally {
        await restarted.close();
      }
    });

    it.each([
      ['an account', async () => (await newUser()).email],
      ['an address that nobody has', async () => newEmail()],
    ])(
      'brings 5 of 50 wrong guesses at %s to the hasher, however many come at once',
      async (_claim, emailOf) => {
        const email = await emailOf();
        const guesses = () => Promise.all(Array.from({ length: 50 }, () => login(email, WRONG)));
        expect(await hashesDuring(guesses)).toBe(5);
        expect(await hashesDuring(guesses)).toBe(0);
        app.clock.advance(1);
        expect(await hashesDuring(guesses)).toBe(1);
      },
    );

    it('counts on every instance together', async () => {
      const { email } = await newUser();
      await fail(email, 3);
      await fail(email, 2, { at: other });
      for (const at of [app, other]) {
        expect(await hashesDuring(() => login(email, PASSWORD, { at }), at)).toBe(0);
      }
    });

    it('counts the spellings of one address together', async () => {
      const { email } = await newUser();
      await fail(email.toUpperCase(), 3);
      const fullWidth = String.fromCodePoint(email.codePointAt(0)! + 0xfee0);
      await fail(fullWidth + email.slice(1), 2);
      expectProblem(await login(email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
    });

    it('answers known, unknown, disabled and locked accounts alike', async () => {
      const [known, disabled, locked] = [await newUser(), await newUser(), await newUser()];
      await setDisabled(app, disabled.id, 1);
      await fail(locked.email, 5);
      const answers = [
        await login(known.email, WRONG),
        await login(newEmail(), WRONG),
        await login(disabled.email, PASSWORD),
        await login(locked.email, PASSWORD),
        await login(locked.email, WRONG),
      ].map((answer) => {
        expectProblem(answer, 'ERR_INVALID_CREDENTIALS');
        const { 'x-request-id': _id, date: _date, ...headers } = answer.headers;
        const { instance: _instance, ...body } = answer.members;
        return { status: answer.status, headers, body, length: answer.text.length };
      });
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    });

    it('locks nobody out of a device on which they have signed in before', async () => {
      const { email, deviceToken } = await newUser();
      await fail(email, 5);
      expectProblem(await login(email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
      const atHome = await login(email, PASSWORD, { deviceToken });
      expect(atHome.status).toBe(200);
      // The same device: what it is given next counts no failures of its own.
      await fail(email, 5, { deviceToken });
      const next = atHome.string('deviceToken');
      expectProblem(await login(email, PASSWORD, { deviceToken: next }), 'ERR_INVALID_CREDENTIALS');
      // Nor did the login at home end the back-off for others.
      expectProblem(await login(email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
    });

    it('throttles a known device as any other, and the others not with it', async () => {
      const { email, deviceToken } = await newUser();
      await fail(email, 5, { deviceToken });
      expectProblem(await login(email, PASSWORD, { deviceToken }), 'ERR_INVALID_CREDENTIALS');
      expect((await login(email, PASSWORD)).status).toBe(200);
    });

    it('knows no device from before the password was changed, until it signs in again', async () => {
      const { email, token, deviceToken } = await newUser();
      app.clock.advance(1);
      const newPassword = `${PASSWORD} again`;
      const changed = await app.post('/v1/auth/password', { currentPassword: PASSWORD, newPassword }, token);
      expect(changed.status).toBe(204);
      await fail(email, 2);
      await fail(email, 3, { deviceToken });
      expectProblem(await login(email, newPassword, { deviceToken }), 'ERR_INVALID_CREDENTIALS');
      app.clock.advance(1);
      const next = (await login(email, newPassword, { deviceToken })).string('deviceToken');
      await fail(email, 5);
      expect((await login(email, newPassword, { deviceToken: next })).status).toBe(200);
    });

    it('knows a device that signs in once the clock was set back', async () => {
      const { email, token } = await newUser();
      const newPassword = `${PASSWORD} again`;
      await app.post('/v1/auth/password', { currentPassword: PASSWORD, newPassword }, token);
      app.clock.advance(-3_600);
      const deviceToken = (await login(email, newPassword)).string('deviceToken');
      await fail(email, 6);
      expect((await login(email, newPassword, { deviceToken })).status).toBe(200);
      app.clock.advance(3_600);
    });

    it('counts guesses at a second factor on devices from before it was activated together', async () => {
      const { email, token, deviceToken } = await newUser();
      const second = (await login(email, PASSWORD)).string('deviceToken');
      app.clock.advance(1);
      const phone = new AuthenticatorApp(
        (await app.request('POST', '/v1/auth/totp', { token })).string('uri'),
      );
      const code = (steps = 0) => phone.code(app.clock.nowMs(), steps);
      const used = code(-1);
      await app.post('/v1/auth/totp/activate', { code: used }, token);
      const guess = (text: string, device: Device = {}) =>
        app.post('/v1/auth/login', { email, password: PASSWORD, code: text, ...device });

      for (const device of [deviceToken, second, deviceToken, second, deviceToken]) {
        expectProblem(await guess(used, { deviceToken: device }), 'ERR_INVALID_CREDENTIALS');
      }
      expectProblem(await guess(code()), 'ERR_INVALID_CREDENTIALS');
      app.clock.advance(1);
      const next = (await guess(code(), { deviceToken })).string('deviceToken');
      app.clock.advance(60);
      for (let failure = 0; failure < 5; failure++) await guess(used);
      expectProblem(await guess(code()), 'ERR_INVALID_CREDENTIALS');
      expect((await guess(code(), { deviceToken: next })).status).toBe(200);
    });

    it('knows a device by nothing but the token of that account', async () => {
      const [victim, attacker] = [await newUser(), await newUser()];
      await fail(victim.email, 5);
      const { deviceToken } = victim;
      const changed = Buffer.from(deviceToken.slice(5), 'base64url');
      changed[changed.length - 1]! ^= 1;
      for (const stranger of [
        attacker.deviceToken,
        `sasd_${changed.toString('base64url')}`,
        deviceToken.slice(5),
        'sasd_',
        '',
        'x'.repeat(512),
        victim.token.slice(0, 512),
      ]) {
        const answer = await login(victim.email, PASSWORD, { deviceToken: stranger });
        expectProblem(answer, 'ERR_INVALID_CREDENTIALS');
      }
      for (const noText of [7, null, ['x'], { x: 1 }, 'x'.repeat(513)]) {
        expectProblem(await login(victim.email, PASSWORD, { deviceToken: noText }), 'ERR_VALIDATION');
      }
    });

    it('signs nobody in by a device token alone', async () => {
      const { email, deviceToken } = await newUser();
      expectProblem(await login(email, WRONG, { deviceToken }), 'ERR_INVALID_CREDENTIALS');
      expectProblem(await app.get('/v1/users/me', deviceToken), 'ERR_UNAUTHENTICATED');
      const refresh = await app.post('/v1/auth/refresh', { refreshToken: deviceToken });
      expectProblem(refresh, 'ERR_INVALID_REFRESH_TOKEN');
    });
  });
});
