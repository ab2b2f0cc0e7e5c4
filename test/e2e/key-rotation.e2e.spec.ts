import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JsonLogger } from '../../src/common/json-logger.js';
import { KeyDestructionService } from '../../src/keys/key-destruction.service.js';
import { KeyInventory } from '../../src/keys/key-inventory.js';
import { KeyJobRunner } from '../../src/keys/key-job-runner.js';
import { type KeyPurposeName } from '../../src/keys/key-purposes.js';
import { KeyRotationService } from '../../src/keys/key-rotation.service.js';
import { type Account, newAccount, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { neverFails } from '../support/key-rotation.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const purposes: readonly KeyPurposeName[] = [
  'user-kek',
  'contacts',
  'email',
  'secret',
  'blind-index',
  'blind-index-kek',
  'token-signing-kek',
  'password-pepper',
];

describe('while keys are rotated', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    let contactId: string;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
      const contact = { name: 'Grace', email: 'grace@example.com' };
      contactId = (await app.post('/v1/contacts', contact, owner.token)).string('id');
      await app.request('PUT', '/v1/secrets/a', { token: owner.token, json: { data: { password: 'x' } } });
    });
    afterAll(() => app.close());

    function the<T>(type: abstract new (...dependencies: never[]) => T): T {
      return app.nest.get<T>(type, { strict: false });
    }

    /** What the owner sees of everything that is encrypted. */
    async function readAll(): Promise<unknown> {
      const { token } = await signIn(app, owner.email);
      const reads = await Promise.all(
        [
          '/v1/users/me',
          `/v1/contacts/${contactId}`,
          '/v1/contacts?email=grace@example.com',
          '/v1/secrets/a',
        ].map((path) => app.get(path, token)),
      );
      return reads.map(({ status, body }) => ({ status, body }));
    }

    it.each(purposes)('of %s, everything stays readable, before, after and in between', async (purpose) => {
      const before = await readAll();
      expect(before).toMatchObject(Array.from({ length: 4 }, () => ({ status: 200 })));
      const jobs: string[] = [];
      const begun = the(KeyRotationService).rotateAll(purpose, neverFails);
      for await (const { id } of begun) jobs.push(id);
      expect(jobs.length).toBeGreaterThan(0);
      expect(await readAll()).toEqual(before);
      let left = jobs;
      for (let step = 0; left.length > 0 && step < 3; step++) {
        app.clock.advance(2);
        const unfinished = [];
        for (const id of left) if (!(await the(KeyJobRunner).run(id))) unfinished.push(id);
        left = unfinished;
        expect(await readAll()).toEqual(before);
      }
      expect(left).toEqual([]);
      app.clock.advance(6);
      await the(KeyDestructionService).destroyEnded();
      const retired = databaseOf(app).query.selectFrom('keys').select('id').where('purpose', '=', purpose);
      for (const { id } of await retired.where('state', 'in', ['DECRYPT_ONLY', 'DISABLED']).execute()) {
        if (purpose !== 'secret') await the(KeyDestructionService).destroy(id);
      }
      app.clock.advance(1);
      expect(await readAll()).toEqual(before);
      expect(await the(KeyInventory).unfinishedJobs()).toEqual([]);
    });

    it('of token-signing, a token is accepted until it expires', async () => {
      const { token } = await signIn(app, owner.email);
      const job = await the(KeyRotationService).rotate('token-signing', 'system');
      app.clock.advance(60);
      expect(await the(KeyJobRunner).run(job!.id)).toBe(true);
      const other = await app.newInstance();
      app.clock.advance(239);
      expect((await other.get('/v1/users/me', token)).status).toBe(200);
      // Five seconds are for clocks that differ.
      app.clock.advance(6);
      expect((await other.get('/v1/users/me', token)).status).toBe(401);
      await other.close();
    });

    it('a key that is gone is answered as any other bad ciphertext, and the log names it', async () => {
      const lines: string[] = [];
      app.nest.useLogger(new JsonLogger('error', { write: (line) => lines.push(line) }));
      /** What the caller gets for a contact that can't be decrypted, and the key that the log names. */
      async function answerAfter(damage: (owner: Account, contactId: string) => Promise<unknown>) {
        const account = await newAccount(app);
        const id = (await app.post('/v1/contacts', { name: 'Grace' }, account.token)).string('id');
        const contacts = databaseOf(app).query.selectFrom('contacts').select('key_id').where('id', '=', id);
        const { key_id: keyId } = await contacts.executeTakeFirstOrThrow();
        await damage(account, id);
        app.clock.advance(1);
        lines.length = 0;
        const { status, headers, members } = await app.get(`/v1/contacts/${id}`, account.token);
        const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(logged).toMatchObject([{ requestId: members['instance'], err: { keyId } }]);
        const comparable = Object.entries(headers).filter(
          ([name]) => !['date', 'x-request-id'].includes(name) && !name.includes('ratelimit'),
        );
        return {
          status,
          headers: comparable,
          body: { ...members, instance: '' },
          text: JSON.stringify(members),
        };
      }

      const destroyed = await answerAfter(({ id }) =>
        databaseOf(app)
          .query.updateTable('keys')
          .set({ state: 'DESTROYED', wrapped: null })
          .where('owner_id', '=', id)
          .where('purpose', '=', 'contacts')
          .execute(),
      );
      const damaged = await answerAfter((_account, id) =>
        databaseOf(app).query.updateTable('contacts').set({ version: 9 }).where('id', '=', id).execute(),
      );
      app.nest.useLogger(false);
      expect(destroyed.text).not.toMatch(/decrypt|key/);
      expect({ ...destroyed, text: '' }).toEqual({ ...damaged, text: '' });
      expect(destroyed).toMatchObject({ status: 500, body: { code: 'ERR_INTERNAL' } });
      expect(await readAll()).toMatchObject(Array.from({ length: 4 }, () => ({ status: 200 })));
    });
  });
});
