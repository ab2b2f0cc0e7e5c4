import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { keyIdOf } from '../../src/crypto/envelope.js';
import { passwordContext } from '../../src/users/encryption-contexts.js';
import { UsersService } from '../../src/users/users.service.js';
import { listedPasswords } from '../../lists/listed-passwords.js';
import { type Account, newAccount, newEmail, PASSWORD, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { afterNext } from '../support/next-call.js';
import { badFields, expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const NEXT = 'a wholly different horse';
const WRONG = 'incorrect horse battery staple';

describe('a change of password', () => {
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

    function change({ token }: Pick<Account, 'token'>, currentPassword: string, newPassword: string) {
      return app.post('/v1/auth/password', { currentPassword, newPassword }, token);
    }

    function login(email: string, password: string): Promise<HttpsResponse> {
      return app.post('/v1/auth/login', { email, password });
    }

    it('lets the new one in and the old one no more, and keeps the session', async () => {
      const account = await newAccount(app);
      const response = await change(account, PASSWORD, NEXT);
      expect({ status: response.status, text: response.text }).toEqual({ status: 204, text: '' });
      expect((await app.get('/v1/users/me', account.token)).status).toBe(200);
      expect((await login(account.email, NEXT)).status).toBe(200);
      expectProblem(await login(account.email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
    });

    it('is not undone by a login that hashes the old one anew meanwhile', async () => {
      const account = await newAccount(app);
      const context = passwordContext(account.id);
      const users = app.nest.get(UsersService, { strict: false });
      const weakHash = await hash(PASSWORD, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
      const weak = await app.nest
        .get(CryptoService, { strict: false })
        .encrypt(Buffer.from(weakHash), context);
      await databaseOf(app)
        .query.updateTable('users')
        .set({ password_ciphertext: weak, password_key_id: keyIdOf(weak) })
        .where('id', '=', account.id)
        .execute();
      const credentials = await users.findCredentials(account.email);
      expect((await change(account, PASSWORD, NEXT)).status).toBe(204);
      expect(await users.verifyPassword(credentials, PASSWORD)).toBe(account.id);
      expect((await login(account.email, NEXT)).status).toBe(200);
      expectProblem(await login(account.email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
    });

    it('hashes it anew where the parameters are old', async () => {
      const { id, email } = await newAccount(app);
      const context = passwordContext(id);
      const crypto = app.nest.get(CryptoService, { strict: false });
      const weak = await crypto.encrypt(Buffer.from(await hash(PASSWORD, { memoryCost: 8_192 })), context);
      const { query } = databaseOf(app);
      const written = { password_ciphertext: weak, password_key_id: keyIdOf(weak) };
      await query.updateTable('users').set(written).where('id', '=', id).execute();
      expect((await login(email, PASSWORD)).status).toBe(200);
      const stored = query.selectFrom('users').select('password_ciphertext').where('id', '=', id);
      const { password_ciphertext: ciphertext } = await stored.executeTakeFirstOrThrow();
      expect((await crypto.decrypt(ciphertext, context)).toString()).toContain('m=19456,t=2,p=1');
    });

    it('ends every other session, on every instance within a second', async () => {
      const account = await newAccount(app);
      const session = await signIn(app, account.email);
      expect((await other.get('/v1/users/me', session.token)).status).toBe(200);
      await change(account, PASSWORD, NEXT);
      expectProblem(await app.get('/v1/users/me', session.token), 'ERR_UNAUTHENTICATED');
      app.clock.advance(1);
      expectProblem(await other.get('/v1/users/me', session.token), 'ERR_UNAUTHENTICATED');
      const refresh = await app.post('/v1/auth/refresh', { refreshToken: session.refreshToken });
      expectProblem(refresh, 'ERR_INVALID_REFRESH_TOKEN');
      expect((await app.post('/v1/auth/refresh', { refreshToken: account.refreshToken })).status).toBe(200);
    });

    it('is not done by a session that has ended on another instance', async () => {
      const { email, token } = await newAccount(app);
      expect((await other.get('/v1/users/me', token)).status).toBe(200);
      await app.request('POST', '/v1/auth/logout', { token });
      const passwords = { currentPassword: PASSWORD, newPassword: `${PASSWORD} again` };
      expectProblem(await other.post('/v1/auth/password', passwords, token), 'ERR_UNAUTHENTICATED');
      expect((await app.post('/v1/auth/login', { email, password: PASSWORD })).status).toBe(200);
    });

    it('needs the current one, and counts wrong ones for this session alone', async () => {
      const account = await newAccount(app);
      for (let failure = 0; failure < 5; failure++) {
        expectProblem(await change(account, WRONG, NEXT), 'ERR_INVALID_CREDENTIALS');
      }
      expectProblem(await change(account, PASSWORD, NEXT), 'ERR_INVALID_CREDENTIALS');
      expect((await login(account.email, PASSWORD)).status).toBe(200);
      app.clock.advance(1);
      expect((await change(account, PASSWORD, NEXT)).status).toBe(204);
    });

    it.each([
      ['short', 'x'.repeat(14)],
      ['too long', 'correct horse '.repeat(74)],
      ['a sequence', 'abcdefghijklmnopqrst'],
      ['common, with digits around it', '12345 Password 67890'],
    ])('refuses a new one that is %s', async (_claim, newPassword) => {
      const account = await newAccount(app);
      expect(badFields(await change(account, PASSWORD, newPassword))).toEqual(['/newPassword']);
      const registered = await app.post('/v1/auth/register', {
        email: 'x@example.com',
        password: newPassword,
      });
      expect(badFields(registered)).toEqual(['/password']);
    });

    it('refuses a hundred of the listed ones, as registration does', async () => {
      const { token } = await newAccount(app);
      const long = (await listedPasswords()).filter((password) => password.length >= 15);
      for (let sample = 0; sample < 100; sample++) {
        const newPassword = long[Math.floor((sample * long.length) / 100)]!;
        const changed = await change({ token }, PASSWORD, newPassword);
        const registered = await app.post('/v1/auth/register', { email: newEmail(), password: newPassword });
        expect([newPassword, badFields(changed), badFields(registered)]).toEqual([
          newPassword,
          ['/newPassword'],
          ['/password'],
        ]);
      }
    });

    it('lets no login begin a session whose password was verified before it', async () => {
      const account = await newAccount(app);
      const users = app.nest.get(UsersService, { strict: false });
      afterNext(users, 'verifyPassword', async () => {
        expect((await change(account, PASSWORD, NEXT)).status).toBe(204);
      });
      expectProblem(await login(account.email, PASSWORD), 'ERR_INVALID_CREDENTIALS');
      expect((await app.get('/v1/auth/sessions', account.token)).items).toHaveLength(1);
    });

    it('gives one of 8 that are made at once', async () => {
      const account = await newAccount(app);
      const passwords = Array.from({ length: 8 }, (_, index) => `${NEXT} ${index}`);
      const answers = await Promise.all(passwords.map((password) => change(account, PASSWORD, password)));
      const given = passwords.filter((_, index) => answers[index]?.status === 204);
      expect(given).toHaveLength(1);
      // Before the others: their failures would keep the account closed for a second.
      expect((await login(account.email, given.join())).status).toBe(200);
      const refused = passwords.filter((password) => !given.includes(password));
      const logins = await Promise.all(refused.map((password) => login(account.email, password)));
      expect(logins.filter(({ status }) => status === 200)).toEqual([]);
    });

    it('is recorded, refused ones too', async () => {
      const account = await newAccount(app);
      await change(account, WRONG, NEXT);
      await change(account, PASSWORD, NEXT);
      const events = await databaseOf(app)
        .query.selectFrom('audit_events')
        .select(['actor', 'outcome'])
        .where('actor', '=', account.id)
        .where('action', '=', 'auth.password-changed')
        .orderBy('seq')
        .execute();
      expect(events.map(({ outcome }) => outcome)).toEqual(['failure', 'success']);
    });

    it.each([
      ['1 024 bytes', 'x'.repeat(3) + 'yz!'.repeat(340) + 'a'],
      ['a NUL', 'maple otter \u0000 drifts at noon'],
      ['emoji', '🐴🔋📎🐶🌵🍕🚲🎺🧊🪁🦀🍋🎲🧵🗝'],
      ['combining characters', 'cafe\u0301 pre\u0300s de la gare'],
    ])('takes a password with %s, and a login needs all of it', async (_claim, password) => {
      const account = await newAccount(app);
      expect((await change(account, PASSWORD, password)).status).toBe(204);
      expect((await login(account.email, password)).status).toBe(200);
      expectProblem(
        await login(account.email, Array.from(password).slice(0, -1).join('')),
        'ERR_INVALID_CREDENTIALS',
      );
      expectProblem(await login(account.email, `${password}\u0000`), 'ERR_INVALID_CREDENTIALS');
    });
  });
});
