import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SecondFactorService } from '../../src/factors/second-factor.service.js';
import { UsersService } from '../../src/users/users.service.js';
import { type Account, newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { afterNext, beforeNext } from '../support/next-call.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

/** Eight characters. */
const SHORT = 'x7 rabit';

interface Protected extends Account {
  readonly phone: AuthenticatorApp;
  readonly recoveryCodes: readonly string[];
}

describe('a password of 8 characters, where PASSWORD_MIN_LENGTH is 8', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp({ environment: { PASSWORD_MIN_LENGTH: '8' } });
    });
    afterAll(() => app.close());

    async function newProtected(): Promise<Protected> {
      const account = await newAccount(app);
      const enrolled = await app.request('POST', '/v1/auth/totp', { token: account.token });
      const phone = new AuthenticatorApp(enrolled.string('uri'));
      const { members } = await app.post(
        '/v1/auth/totp/activate',
        { code: phone.code(app.clock.nowMs(), -1) },
        account.token,
      );
      return { ...account, phone, recoveryCodes: members['recoveryCodes'] as string[] };
    }

    function change({ token }: Account, currentPassword: string, newPassword: string) {
      return app.post('/v1/auth/password', { currentPassword, newPassword }, token);
    }

    function removeFactor({ token, recoveryCodes }: Protected) {
      return app.request('DELETE', '/v1/auth/totp', { token, json: { code: recoveryCodes[0] } });
    }

    it('is refused to who has no second factor, and to who registers', async () => {
      const account = await newAccount(app);
      await app.request('POST', '/v1/auth/totp', { token: account.token });
      expect(badFields(await change(account, PASSWORD, SHORT))).toEqual(['/newPassword']);
      expect(badFields(await change(account, PASSWORD, 'x7 rabit x7 rt'))).toEqual(['/newPassword']);
      const registered = await app.post('/v1/auth/register', { email: newEmail(), password: SHORT });
      expect(badFields(registered)).toEqual(['/password']);
      const users = app.nest.get(UsersService, { strict: false });
      await expect(users.create(newEmail(), SHORT, ['user', 'admin'])).rejects.toMatchObject({
        code: 'ERR_VALIDATION',
      });
    });

    it('is good for who has one, and no shorter one is', async () => {
      const account = await newProtected();
      for (const password of ['x7 rabi', 'password', 'abababab', 'abcdefgh']) {
        expect(badFields(await change(account, PASSWORD, password))).toEqual(['/newPassword']);
      }
      expect((await change(account, PASSWORD, SHORT)).status).toBe(204);
      const login = { email: account.email, password: SHORT };
      expectProblem(await app.post('/v1/auth/login', login), 'ERR_MFA_REQUIRED');
      const code = account.phone.code(app.clock.nowMs());
      expect((await app.post('/v1/auth/login', { ...login, code })).status).toBe(200);
    });

    it('keeps the second factor from being removed, and its codes from being used up for that', async () => {
      const account = await newProtected();
      await change(account, PASSWORD, SHORT);
      expectProblem(await removeFactor(account), 'ERR_TOTP_NEEDED');
      expect((await change(account, SHORT, PASSWORD)).status).toBe(204);
      expect((await removeFactor(account)).status).toBe(204);
      expect(badFields(await change(account, PASSWORD, SHORT))).toEqual(['/newPassword']);
    });

    it('is never left alone, whichever of change and removal is first', async () => {
      const changedFirst = await newProtected();
      const factors = app.nest.get(SecondFactorService, { strict: false });
      afterNext(factors, 'refuseNeeded', async () => {
        expect((await change(changedFirst, PASSWORD, SHORT)).status).toBe(204);
      });
      expectProblem(await removeFactor(changedFirst), 'ERR_INVALID_CODE');
      expect(await factors.isActive(changedFirst.id)).toBe(true);

      const removedFirst = await newProtected();
      const users = app.nest.get(UsersService, { strict: false });
      beforeNext(users, 'verifyPassword', async () => {
        expect((await removeFactor(removedFirst)).status).toBe(204);
      });
      expectProblem(await change(removedFirst, PASSWORD, SHORT), 'ERR_INVALID_CREDENTIALS');
      const { email } = removedFirst;
      expect((await app.post('/v1/auth/login', { email, password: PASSWORD })).status).toBe(200);
    });

    it('of 8 racing with removals leaves none of the accounts with it alone', async () => {
      const accounts = await Promise.all(Array.from({ length: 8 }, newProtected));
      await Promise.all(
        accounts.flatMap((account) => [change(account, PASSWORD, SHORT), removeFactor(account)]),
      );
      for (const { email } of accounts) {
        const answer = await app.post('/v1/auth/login', { email, password: SHORT });
        expect(['ERR_MFA_REQUIRED', 'ERR_INVALID_CREDENTIALS']).toContain(answer.members['code']);
      }
    });
  });
});
