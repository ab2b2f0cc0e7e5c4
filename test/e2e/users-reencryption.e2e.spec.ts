import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { DecryptionError } from '../../src/crypto/errors.js';
import { EMAIL_INDEX, passwordContext } from '../../src/users/encryption-contexts.js';
import { KeyringService } from '../../src/keys/keyring.service.js';
import { UsersRepository } from '../../src/users/users.repository.js';
import { keyIdOf } from '../../src/crypto/envelope.js';
import { type Account, newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import {
  beforeNextRewrap,
  countUnder,
  databaseOf,
  reencryptAll,
  reencryptAndDie,
  reencryptBatches,
  retirePrimary,
} from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const COUNT = 3;

describe('users under a retired key', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let accounts: Account[];
    beforeEach(async () => {
      app = await newApp();
      accounts = [];
      for (let index = 0; index < COUNT; index += 1) accounts.push(await newAccount(app));
    });
    afterEach(() => app.close());

    const register = (email: string, on = app): Promise<HttpsResponse> =>
      on.post('/v1/auth/register', { email, password: PASSWORD });

    async function signIns(password = PASSWORD): Promise<number[]> {
      const responses = await Promise.all(
        accounts.map(({ email }) => app.post('/v1/auth/login', { email: email.toUpperCase(), password })),
      );
      return responses.map(({ status }) => status);
    }

    it('have the same e-mail address under the new one', async () => {
      const { id, token } = accounts[0]!;
      const before = await app.get('/v1/users/me', token);
      const key = await retirePrimary(app, 'email', id);
      expect(await countUnder(app, 'email', key)).toBe(1);
      expect(await reencryptAndDie(app, 'email', key)).toEqual(new Error('died'));
      expect((await app.get('/v1/users/me', token)).body).toEqual(before.body);
      expect(await reencryptAll(app, 'email', key)).toEqual([1, 0]);
      expect(await countUnder(app, 'email', key)).toBe(0);
      expect((await app.get('/v1/users/me', token)).body).toEqual(before.body);
    });

    it('sign in before, half-way through and after a new pepper, which needs no password', async () => {
      const key = await retirePrimary(app, 'password-pepper', 'system');
      expect(await countUnder(app, 'password-pepper', key)).toBe(COUNT);
      expect(await reencryptBatches(app, 'password-pepper', key, 2)).toBe(2);
      expect(await signIns()).toEqual([200, 200, 200]);
      expect(await reencryptAndDie(app, 'password-pepper', key)).toEqual(new Error('died'));
      expect(await signIns()).toEqual([200, 200, 200]);
      expect(await reencryptAll(app, 'password-pepper', key, 2)).toEqual([1, 0]);
      expect(await countUnder(app, 'password-pepper', key)).toBe(0);
      expect(await signIns()).toEqual([200, 200, 200]);
      expect(await signIns('another password, a wrong one')).toEqual([401, 401, 401]);
    });

    it('keep the password hash that is written meanwhile', async () => {
      const key = await retirePrimary(app, 'password-pepper', 'system');
      const crypto = app.nest.get(CryptoService, { strict: false });
      const users = app.nest.get(UsersRepository, { strict: false });
      const password = 'a quite different password';
      beforeNextRewrap(app, async () => {
        for (const { id } of accounts) {
          const ciphertext = await crypto.hashPassword(password, passwordContext(id));
          // Named as the retired key: only the bytes tell that it was written.
          await users.updatePassword(id, { ciphertext, keyId: key.id });
        }
      });
      expect(await reencryptBatches(app, 'password-pepper', key)).toBe(COUNT);
      expect(await signIns(password)).toEqual([200, 200, 200]);
      expect(await signIns()).toEqual([401, 401, 401]);
    });

    it('stop the work when one can not be decrypted', async () => {
      const key = await retirePrimary(app, 'password-pepper', 'system');
      const [from, to] = accounts;
      const { query } = databaseOf(app);
      const stolen = await query
        .selectFrom('users')
        .select('password_ciphertext')
        .where('id', '=', from!.id)
        .executeTakeFirstOrThrow();
      await query.updateTable('users').set(stolen).where('id', '=', to!.id).execute();
      await expect(reencryptBatches(app, 'password-pepper', key)).rejects.toThrow(DecryptionError);
      expect(await countUnder(app, 'password-pepper', key)).toBe(COUNT);
    });

    it('are found by their e-mail address before, half-way through and after a new index key', async () => {
      const key = await retirePrimary(app, 'blind-index', 'system');
      expect(await countUnder(app, 'blind-index', key)).toBe(COUNT);
      expect(await signIns()).toEqual([200, 200, 200]);
      expect(await reencryptBatches(app, 'blind-index', key, 2)).toBe(2);
      expect(await signIns()).toEqual([200, 200, 200]);
      expect(await reencryptAndDie(app, 'blind-index', key)).toEqual(new Error('died'));
      expect(await countUnder(app, 'blind-index', key)).toBe(1);
      expect(await reencryptAll(app, 'blind-index', key, 2)).toEqual([1, 0]);
      expect(await signIns()).toEqual([200, 200, 200]);
      expect(await countUnder(app, 'blind-index', { ...key, version: key.version + 1 })).toBe(COUNT);
    });

    it('have none of the rows of a user whose own index key is retired', async () => {
      const key = { id: '0123456789abcdef', ownerId: accounts[0]!.id, version: 1 };
      expect(await countUnder(app, 'blind-index', key)).toBe(0);
      expect(await reencryptBatches(app, 'blind-index', key)).toBe(0);
    });

    it('keep their e-mail address from being registered again, before and after', async () => {
      const key = await retirePrimary(app, 'blind-index', 'system');
      for (const { email } of accounts) expectProblem(await register(email), 'ERR_EMAIL_TAKEN');
      const newcomer = newEmail();
      expect((await register(newcomer)).status).toBe(201);
      await reencryptAll(app, 'blind-index', key);
      for (const email of [...accounts.map((account) => account.email), newcomer]) {
        expectProblem(await register(email), 'ERR_EMAIL_TAKEN');
      }
    });

    it('give one e-mail address to one of 16 callers of two instances that index under different keys', async () => {
      await retirePrimary(app, 'blind-index', 'system');
      const other = await app.newInstance();
      const keys = await app.nest.get(KeyringService, { strict: false }).blindIndexKeys('system');
      const [primary, retired] = keys;
      other.nest.get(KeyringService, { strict: false }).blindIndexKeys = async () => [retired!, primary];
      const email = newEmail();
      const responses = await Promise.all(
        Array.from({ length: 16 }, (_, index) => register(email, index % 2 ? app : other)),
      );
      await other.close();
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409)).toHaveLength(15);
    });

    it('are named when two have one e-mail address, and the others get their new index', async () => {
      const key = await retirePrimary(app, 'blind-index', 'system');
      const [first, second] = accounts;
      const crypto = app.nest.get(CryptoService, { strict: false });
      await databaseOf(app)
        .query.updateTable('users')
        .set({ email_index: await crypto.blindIndex(first!.email, EMAIL_INDEX) })
        .where('id', '=', second!.id)
        .execute();
      const expected = `users have the same e-mail address: ${first!.id} and ${second!.id}`;
      await expect(reencryptBatches(app, 'blind-index', key)).rejects.toThrow(expected);
      expect(await countUnder(app, 'blind-index', key)).toBe(1);
    });

    it('name the key that their values are under', async () => {
      const pepper = await retirePrimary(app, 'password-pepper', 'system');
      await reencryptAll(app, 'password-pepper', pepper);
      const rows = await databaseOf(app).query.selectFrom('users').selectAll().execute();
      expect(rows.map((row) => row.password_key_id)).toEqual(
        rows.map((row) => keyIdOf(row.password_ciphertext)),
      );
    });
  });
});
