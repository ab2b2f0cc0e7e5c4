import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { EMAIL_INDEX, passwordContext } from '../../src/users/encryption-contexts.js';
import { JobRun } from '../../src/keys/job-run.js';
import { KeyJobRunner } from '../../src/keys/key-job-runner.js';
import { KeyRotationService } from '../../src/keys/key-rotation.service.js';
import { KeyringService } from '../../src/keys/keyring.service.js';
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
      const users = databaseOf(app).query.updateTable('users');
      const password = 'a quite different password';
      beforeNextRewrap(app, async () => {
        for (const { id } of accounts) {
          const ciphertext = await crypto.hashPassword(password, passwordContext(id));
          // Named as the retired key: only the bytes tell that it was written.
          const written = { password_ciphertext: ciphertext, password_key_id: key.id };
          await users.set(written).where('id', '=', id).execute();
        }
      });
      expect(await reencryptBatches(app, 'password-pepper', key)).toBe(COUNT);
      expect(await signIns(password)).toEqual([200, 200, 200]);
      expect(await signIns()).toEqual([401, 401, 401]);
    });

    it('get the new pepper but for those whose hash can not be decrypted, which keep the old one', async () => {
      const key = await retirePrimary(app, 'password-pepper', 'system');
      const [from, to] = accounts;
      const { query } = databaseOf(app);
      const stolen = await query
        .selectFrom('users')
        .select('password_ciphertext')
        .where('id', '=', from!.id)
        .executeTakeFirstOrThrow();
      await query.updateTable('users').set(stolen).where('id', '=', to!.id).execute();
      expect(await reencryptAll(app, 'password-pepper', key)).toEqual([COUNT, 0]);
      expect(await countUnder(app, 'password-pepper', key)).toBe(1);
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

    it('give one e-mail address to one of 16 callers at each step of a new index key, one instance a step behind', async () => {
      const other = await app.newInstance();
      const keyring = app.nest.get(KeyringService, { strict: false });
      const stale = other.nest.get(KeyringService, { strict: false });
      const versions: number[][] = [];
      async function expectOneEach(step: () => Promise<unknown>): Promise<void> {
        app.clock.advance(1);
        const before = await keyring.blindIndexKeys('system');
        await step();
        app.clock.advance(1);
        versions.push((await keyring.blindIndexKeys('system')).map(({ version }) => version));
        stale.blindIndexKeys = async () => before;
        const email = newEmail();
        const responses = await Promise.all(
          Array.from({ length: 16 }, (_, index) => register(email, index % 2 ? app : other)),
        );
        expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
        expectProblem(await register(email), 'ERR_EMAIL_TAKEN');
        expectProblem(await register(email, other), 'ERR_EMAIL_TAKEN');
      }

      const rotation = app.nest.get(KeyRotationService, { strict: false });
      const runner = app.nest.get(KeyJobRunner, { strict: false });
      let jobId = '';
      const run = async (isDone: boolean) => expect(await runner.run(jobId)).toBe(isDone);
      await expectOneEach(async () => (jobId = (await rotation.rotate('blind-index', 'system'))!.id));
      await expectOneEach(() => run(false));
      await expectOneEach(() => run(true));
      expect(versions).toEqual([[1, 2], [2, 1], [2]]);
      await other.close();
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
      const skipped: unknown[] = [];
      const run = new JobRun(({ id, keyId, error }) => skipped.push([id, keyId, error.message]), 100);
      expect(await reencryptBatches(app, 'blind-index', key, 100, run)).toBe(COUNT - 1);
      expect(await reencryptBatches(app, 'blind-index', key, 100, run)).toBe(0);
      expect(skipped).toEqual([
        [first!.id, key.id, `users ${first!.id} and ${second!.id} have the same e-mail address`],
      ]);
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
