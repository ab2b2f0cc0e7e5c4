import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyNotRetiredError, type RetiredKey } from '../../src/keys/encrypted-rows.js';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
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

const COUNT = 7;

describe('contacts under a retired key', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    let ids: string[];
    beforeAll(async () => {
      app = await newApp();
    });
    beforeEach(async () => {
      owner = await newAccount(app);
      ids = [];
      for (let index = 0; index < COUNT; index += 1) ids.push(await create(owner, index));
    });
    afterAll(() => app.close());

    async function create({ token }: Account, index: number): Promise<string> {
      app.clock.advance(0.001);
      const body = { name: `contact ${index}`, email: `c${index}@example.com`, note: 'known to few' };
      return (await app.post('/v1/contacts', body, token)).string('id');
    }

    /** All that the owner sees, ETags included. */
    async function readAll(): Promise<unknown[]> {
      const responses = await Promise.all(ids.map((id) => app.get(`/v1/contacts/${id}`, owner.token)));
      return responses.map(({ status, headers, body }) => ({ status, etag: headers['etag'], body }));
    }

    function patch(id: string, json: object): Promise<HttpsResponse> {
      const headers = { 'if-match': '"1"' };
      return app.request('PATCH', `/v1/contacts/${id}`, { token: owner.token, json, headers });
    }

    async function keyIds(): Promise<Set<string>> {
      const rows = await databaseOf(app)
        .query.selectFrom('contacts')
        .select('key_id')
        .where('owner_id', '=', owner.id)
        .execute();
      return new Set(rows.map((row) => row.key_id));
    }

    /** The contacts that a search for each one's address finds. */
    async function searchAll(): Promise<unknown[]> {
      const found = await Promise.all(
        ids.map((_id, index) => app.get(`/v1/contacts?email=C${index}@example.com`, owner.token)),
      );
      return found.map(({ items }) => items.map(({ id }) => id));
    }

    const retire = (): Promise<RetiredKey> => retirePrimary(app, 'contacts', owner.id);

    it('are brought under the new one batch by batch, and nothing that the user sees changes', async () => {
      const before = await readAll();
      const key = await retire();
      const stranger = await newAccount(app);
      await create(stranger, 0);
      expect(await countUnder(app, 'contacts', key)).toBe(COUNT);
      expect(await reencryptAll(app, 'contacts', key, 3)).toEqual([3, 3, 1, 0]);
      expect(await countUnder(app, 'contacts', key)).toBe(0);
      expect(await keyIds()).not.toContain(key.id);
      expect((await keyIds()).size).toBe(1);
      app.clock.advance(1);
      expect(await readAll()).toEqual(before);
    });

    it('stay readable half-way and when a batch is never committed', async () => {
      const before = await readAll();
      const key = await retire();
      expect(await reencryptBatches(app, 'contacts', key, 3)).toBe(3);
      expect(await reencryptAndDie(app, 'contacts', key)).toEqual(new Error('died'));
      expect(await countUnder(app, 'contacts', key)).toBe(COUNT - 3);
      expect(await readAll()).toEqual(before);
      await reencryptAll(app, 'contacts', key);
      expect(await readAll()).toEqual(before);
    });

    it('keep what their user writes meanwhile', async () => {
      const key = await retire();
      beforeNextRewrap(app, async () => {
        expect((await patch(ids[0]!, { name: 'written meanwhile' })).status).toBe(200);
      });
      await reencryptAll(app, 'contacts', key);
      const { members } = await app.get(`/v1/contacts/${ids[0]}`, owner.token);
      expect(members).toMatchObject({ name: 'written meanwhile', version: 2, note: 'known to few' });
      expect(await keyIds()).not.toContain(key.id);
    });

    it('may be deleted meanwhile', async () => {
      const key = await retire();
      beforeNextRewrap(app, async () => {
        const response = await app.request('DELETE', `/v1/contacts/${ids[0]}`, { token: owner.token });
        expect(response.status).toBe(204);
      });
      expect(await reencryptAll(app, 'contacts', key)).toEqual([COUNT, 0]);
      expect((await app.get(`/v1/contacts/${ids[0]}`, owner.token)).status).toBe(404);
    });

    it('take seven writes at once without losing one', async () => {
      const key = await retire();
      const [, ...responses] = await Promise.all([
        reencryptAll(app, 'contacts', key, 2),
        ...ids.map((id, index) => patch(id, { name: `renamed ${index}` })),
      ]);
      expect(responses.map(({ status }) => status)).toEqual(ids.map(() => 200));
      await reencryptAll(app, 'contacts', key);
      const { items } = await app.get('/v1/contacts', owner.token);
      expect(items.map(({ name }) => name)).toEqual(ids.map((_id, index) => `renamed ${index}`));
    });

    it('are brought under the new one but for those that can not be decrypted, which keep the old one', async () => {
      const key = await retire();
      await databaseOf(app)
        .query.updateTable('contacts')
        .set({ version: 9 })
        .where('id', '=', ids[3]!)
        .execute();
      expect(await reencryptAll(app, 'contacts', key, 2)).toEqual([2, 2, 2, 1, 0]);
      expect(await countUnder(app, 'contacts', key)).toBe(1);
    });

    it('are refused while the key is the primary one: that would never end', async () => {
      const [id] = await keyIds();
      const key = { id: id!, ownerId: owner.id, version: 1 };
      await expect(reencryptBatches(app, 'contacts', key)).rejects.toThrow(KeyNotRetiredError);
    });

    it('are found by their e-mail address before, half-way through and after a new index key', async () => {
      const before = await readAll();
      const key = await retirePrimary(app, 'blind-index', owner.id);
      const all = ids.map((id) => [id]);
      expect(await searchAll()).toEqual(all);
      expect(await countUnder(app, 'blind-index', key)).toBe(COUNT);
      expect(await reencryptBatches(app, 'blind-index', key, 3)).toBe(3);
      expect(await countUnder(app, 'blind-index', key)).toBe(COUNT - 3);
      expect(await searchAll()).toEqual(all);
      expect(await reencryptAndDie(app, 'blind-index', key)).toEqual(new Error('died'));
      expect(await searchAll()).toEqual(all);
      expect(await reencryptAll(app, 'blind-index', key, 3)).toEqual([3, 1, 0]);
      expect(await searchAll()).toEqual(all);
      expect(await readAll()).toEqual(before);
      const next = { ...key, version: key.version + 1 };
      expect(await countUnder(app, 'blind-index', next)).toBe(COUNT);
      await expect(reencryptBatches(app, 'blind-index', next)).rejects.toThrow(KeyNotRetiredError);
    });

    it('keep the e-mail address that their user writes while the index is made anew', async () => {
      const key = await retirePrimary(app, 'blind-index', owner.id);
      const [, ...responses] = await Promise.all([
        reencryptAll(app, 'blind-index', key, 2),
        ...ids.map((id, index) => patch(id, { email: index % 2 ? null : 'same@example.com' })),
      ]);
      expect(responses.map(({ status }) => status)).toEqual(ids.map(() => 200));
      await reencryptAll(app, 'blind-index', key);
      const { items } = await app.get('/v1/contacts?email=same@example.com', owner.token);
      expect(items.map(({ id }) => id)).toEqual(ids.filter((_id, index) => index % 2 === 0));
      expect((await searchAll()).flat()).toEqual([]);
    });
  });
});
