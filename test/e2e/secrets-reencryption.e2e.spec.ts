import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keyIdOf } from '../../src/crypto/envelope.js';
import { type RetiredKey } from '../../src/keys/encrypted-rows.js';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import {
  beforeNextRewrap,
  countUnder,
  databaseOf,
  reencryptAll,
  reencryptAndDie,
  reencryptBatches,
} from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

describe('versions of a secret under a key that is replaced', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
    });
    beforeEach(async () => {
      owner = await newAccount(app);
      await put({ data: { password: 'first' } });
      await put({ data: { password: 'second' }, expiresAt: app.clock.iso(10) });
      await put({ data: { password: 'third' }, metadata: { team: 'a' } });
    });
    afterAll(() => app.close());

    async function put(json: object): Promise<void> {
      await app.request('PUT', '/v1/secrets/database', { token: owner.token, json });
    }

    async function readAll(): Promise<unknown[]> {
      const paths = ['database', 'database/versions', 'database?version=1', 'database?version=2'];
      const responses = await Promise.all(paths.map((path) => app.get(`/v1/secrets/${path}`, owner.token)));
      const list = await app.get('/v1/secrets', owner.token);
      return [...responses, list].map(({ status, headers, members }) => ({
        status,
        etag: headers['etag'],
        body: { ...members, instance: undefined },
      }));
    }

    function rows() {
      return databaseOf(app)
        .query.selectFrom('secret_versions')
        .innerJoin('secrets', 'secrets.id', 'secret_versions.secret_id')
        .selectAll('secret_versions')
        .where('owner_id', '=', owner.id)
        .orderBy('version')
        .execute();
    }

    async function keys(): Promise<RetiredKey[]> {
      return (await rows()).map((row) => ({ id: row.key_id, ownerId: owner.id, version: 1 }));
    }

    async function times(): Promise<unknown[]> {
      return (await rows()).map((row) => [row.created_at, row.expires_at, row.deleted_at]);
    }

    async function countKeys(): Promise<number> {
      const { query } = databaseOf(app);
      const found = await query
        .selectFrom('keys')
        .select('id')
        .where('owner_id', '=', owner.id)
        .where('purpose', '=', 'secret')
        .execute();
      return found.length;
    }

    it('each get a new key of their own, and nothing that the user sees changes', async () => {
      const before = await readAll();
      const replaced = await keys();
      for (const key of replaced) {
        expect(await countUnder(app, 'secret', key)).toBe(1);
        expect(await reencryptAll(app, 'secret', key)).toEqual([1, 0]);
        expect(await countUnder(app, 'secret', key)).toBe(0);
      }
      const now = await rows();
      expect(now.map((row) => row.key_id)).toEqual(now.map((row) => keyIdOf(row.ciphertext)));
      const ids = [...replaced.map(({ id }) => id), ...now.map((row) => row.key_id)];
      expect(new Set(ids).size).toBe(6);
      expect(await countKeys()).toBe(6);
      expect(await readAll()).toEqual(before);
    });

    it('get it when they are deleted or expired, and stay so', async () => {
      await app.request('DELETE', '/v1/secrets/database?versions=1', { token: owner.token });
      app.clock.advance(11);
      const before = await readAll();
      expect(before.map((response) => (response as { status: number }).status)).toEqual([
        200, 200, 410, 410, 200,
      ]);
      const timesBefore = await times();
      for (const key of await keys()) expect(await reencryptAll(app, 'secret', key)).toEqual([1, 0]);
      expect(await readAll()).toEqual(before);
      expect(await times()).toEqual(timesBefore);
    });

    it('leave no key without a value when the process dies before the commit', async () => {
      const before = await readAll();
      for (const key of await keys()) {
        expect(await reencryptAndDie(app, 'secret', key)).toEqual(new Error('died'));
        expect(await countUnder(app, 'secret', key)).toBe(1);
      }
      expect(await countKeys()).toBe(3);
      expect(await readAll()).toEqual(before);
    });

    it('leave no key without a value when a version is gone meanwhile', async () => {
      const [key] = await keys();
      beforeNextRewrap(app, () =>
        databaseOf(app).query.deleteFrom('secret_versions').where('key_id', '=', key!.id).execute(),
      );
      expect(await reencryptBatches(app, 'secret', key!)).toBe(1);
      expect(await countKeys()).toBe(3);
    });

    it('leave one new key to two that replace it at once', async () => {
      const before = await readAll();
      const [key] = await keys();
      await Promise.all([1, 2, 3, 4].map(() => reencryptBatches(app, 'secret', key!)));
      expect(await countKeys()).toBe(4);
      expect(await countUnder(app, 'secret', key!)).toBe(0);
      expect(await readAll()).toEqual(before);
    });

    it('keep their key when they can not be decrypted, and no other is made for them', async () => {
      const [key, other] = await keys();
      const { ciphertext } = (await rows())[1]!;
      await databaseOf(app)
        .query.updateTable('secret_versions')
        .set({ ciphertext })
        .where('key_id', '=', key!.id)
        .execute();
      expect(await reencryptAll(app, 'secret', key!)).toEqual([1, 0]);
      expect(await countUnder(app, 'secret', key!)).toBe(1);
      expect(await countUnder(app, 'secret', other!)).toBe(1);
      expect(await countKeys()).toBe(3);
    });
  });
});
