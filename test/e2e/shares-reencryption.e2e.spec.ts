import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SYSTEM_OWNER } from '../../src/keys/key-purposes.js';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { countUnder, databaseOf, reencryptAll, retirePrimary } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const PASSPHRASE = 'told on the telephone';

describe('shares under a key that is replaced', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    async function create(body: object = {}): Promise<{ id: string; token: string }> {
      const created = await app.post('/v1/shares', { data: { v: 'shared' }, ...body }, owner.token);
      return { id: created.string('id'), token: created.string('token') };
    }

    function rowOf(id: string) {
      return databaseOf(app)
        .query.selectFrom('shares')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
    }

    it('get a new data key of their own and are revealed as before', async () => {
      const { id, token } = await create({ views: 2 });
      const { key_id: oldId } = await rowOf(id);
      const key = { id: oldId, ownerId: owner.id, version: 1 };
      expect(await countUnder(app, 'share', key)).toBe(1);
      expect(await reencryptAll(app, 'share', key)).toEqual([1, 0]);
      expect(await countUnder(app, 'share', key)).toBe(0);
      expect((await rowOf(id)).key_id).not.toBe(oldId);
      const revealed = await app.post(`/v1/shares/${id}/reveal`, { token });
      expect(revealed.body).toEqual({ data: { v: 'shared' }, viewsLeft: 1 });
    });

    it('leave no key without a value where they are used up', async () => {
      const { id, token } = await create();
      const { key_id: keyId } = await rowOf(id);
      await app.post(`/v1/shares/${id}/reveal`, { token });
      expect(await reencryptAll(app, 'share', { id: keyId, ownerId: owner.id, version: 1 })).toEqual([0]);
    });

    it('keep their passphrase under a new pepper', async () => {
      const { id, token } = await create({ passphrase: PASSPHRASE });
      const before = await rowOf(id);
      const key = await retirePrimary(app, 'password-pepper', SYSTEM_OWNER);
      expect(key.id).toBe(before.passphrase_key_id);
      expect(await countUnder(app, 'password-pepper', key)).toBeGreaterThanOrEqual(1);
      await reencryptAll(app, 'password-pepper', key);
      expect(await countUnder(app, 'password-pepper', key)).toBe(0);
      expect((await rowOf(id)).passphrase_key_id).not.toBe(key.id);
      const wrong = await app.post(`/v1/shares/${id}/reveal`, { token, passphrase: 'wrong' });
      expect(wrong.status).toBe(404);
      expect((await app.post(`/v1/shares/${id}/reveal`, { token, passphrase: PASSPHRASE })).status).toBe(200);
    });
  });
});
