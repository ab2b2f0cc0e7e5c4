import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { InMemoryRows } from '../../test/support/in-memory-rows.js';
import { neverFails, openRotation, type Rotation } from '../../test/support/key-rotation.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { StartError } from '../common/start-error.js';
import { type Database } from '../database/database.js';
import { type Skipped } from './job-run.js';
import { type KeyJob } from './key-jobs.repository.js';
import { type KeyPurposeName } from './key-purposes.js';
import { RootKeys } from './root-keys.js';
import { RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';

describe('a rotation', () => {
  forEachDatabaseKind((kind) => {
    const rootKey = new StaticRootKeyProvider();
    let clock: FakeClock;
    let testDatabase: TestDatabase;
    let database: Database;
    let otherDatabase: Database;
    let here: Rotation;
    let there: Rotation;
    let owner: string;
    beforeAll(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      // Two SQLite writers in one process would wait for each other for ever: one connection, caches of their own.
      otherDatabase = kind === 'sqlite' ? database : await testDatabase.open();
    });
    beforeEach(async () => {
      clock = new FakeClock();
      await database.query.deleteFrom('key_jobs').execute();
      await database.query.deleteFrom('keys').execute();
      here = openRotation(database, rootKey, clock);
      there = openRotation(otherDatabase, rootKey, clock);
      owner = randomUUID();
      await here.keyring.createUserKey(owner);
    });
    afterAll(() => testDatabase.remove());

    async function states(purpose: string): Promise<string[]> {
      const rows = database.query.selectFrom('keys').select('state').where('purpose', '=', purpose);
      return (await rows.orderBy('version').execute()).map(({ state }) => state);
    }

    async function secretKeys(count: number): Promise<InMemoryRows> {
      const rows = new InMemoryRows('secret', owner, here.keyring);
      await rows.add(...Array.from({ length: count }, (_, index) => `secret ${index}`));
      return rows;
    }

    /** Another worker takes the job. */
    async function leaseFor(id: string, seconds: number): Promise<void> {
      const nowMs = clock.nowMs();
      const untilMs = nowMs + seconds * 1_000;
      const misdatedFromMs = Number.MAX_SAFE_INTEGER;
      await there.jobs.claim(id, { worker: 'a', nowMs, untilMs, begunUntilMs: nowMs, misdatedFromMs });
    }

    /** Begins and ends a rotation. */
    async function rotate(
      purpose: Parameters<Rotation['rotation']['rotate']>[0],
      of = owner,
    ): Promise<KeyJob> {
      const job = await here.rotation.rotate(purpose, of);
      clock.advance(2);
      expect(await here.runner.run(job!.id)).toBe(true);
      return (await here.inventory.findJob(job!.id))!;
    }

    /** Begins and ends a rotation, and gives what it could not move. */
    async function skippedBy(
      purpose: KeyPurposeName,
      by = here,
    ): Promise<{ job: KeyJob; skipped: Skipped[] }> {
      const skipped: Skipped[] = [];
      const begun = await here.rotation.rotate(purpose, owner);
      for (let step = 0; step < 2; step++) {
        clock.advance(2);
        await by.runner.run(begun!.id, { onSkip: (one) => skipped.push(one) });
      }
      return { job: (await here.inventory.findJob(begun!.id))!, skipped };
    }

    /** Another root key is promoted each time that the last one has wrapped a key, so many times. */
    async function rotationUnderPromotions(times: number): Promise<Rotation> {
      const roots = new RootWrappedKeysRepository(database);
      const held: StaticRootKeyProvider[] = [rootKey];
      let left = times;
      async function promote(): Promise<void> {
        const next = new StaticRootKeyProvider({
          onWrapped: async () => (left-- > 0 ? promote() : undefined),
        });
        held.push(next);
        await roots.makePrimary(next.id, clock.nowMs());
      }
      await promote();
      const read = () => ({ current: rootKey, others: held });
      return openRotation(database, new RootKeys(read, roots, clock), clock);
    }

    async function published(): Promise<string[]> {
      return (await there.keyring.publicTokenKeys()).map(({ kid }) => kid);
    }

    async function childrenOf(id: string): Promise<number> {
      const rows = database.query.selectFrom('keys').select('id').where('parent_id', '=', id);
      return (await rows.where('wrapped', 'is not', null).execute()).length;
    }

    describe('of a key-encryption key', () => {
      it('puts every key under the new one and keeps all readable meanwhile and afterwards', async () => {
        const rows = await secretKeys(250);
        const texts = await rows.read();
        const job = await here.rotation.rotate('user-kek', owner);
        expect(job).toMatchObject({ kind: 'REWRAP', total: 250, done: 0 });
        clock.advance(2);
        const seen: number[] = [];
        const isDone = here.runner.run(job!.id, {
          onProgress: ({ done }) => {
            seen.push(done);
          },
        });
        expect(await rows.read(openRotation(otherDatabase, rootKey, clock).keyring)).toEqual(texts);
        expect(await isDone).toBe(true);
        expect(seen).toEqual([40, 80, 120, 160, 200, 240, 250]);
        expect(await rows.read(openRotation(otherDatabase, rootKey, clock).keyring)).toEqual(texts);
        expect(await states('user-kek')).toEqual(['DECRYPT_ONLY', 'PRIMARY']);
        expect(await childrenOf(job!.from_key_id!)).toBe(0);
      });

      it('is begun once by sixteen that race, on two instances', async () => {
        const jobs = await Promise.all(
          Array.from({ length: 16 }, (_, index) =>
            (index % 2 ? here : there).rotation.rotate('user-kek', owner),
          ),
        );
        expect(new Set(jobs.map((job) => job?.id)).size).toBe(1);
        expect(await states('user-kek')).toEqual(['DECRYPT_ONLY', 'PRIMARY']);
      });

      it('is worked on by one of sixteen that race, on two instances', async () => {
        await secretKeys(120);
        const job = await here.rotation.rotate('user-kek', owner);
        clock.advance(2);
        const results = await Promise.all(
          Array.from({ length: 16 }, (_, index) => (index % 2 ? here : there).runner.run(job!.id)),
        );
        expect(results.filter(Boolean)).toHaveLength(1);
        expect(await here.inventory.findJob(job!.id)).toMatchObject({ done: 120, total: 120 });
      });

      it('waits until every instance knows the new key', async () => {
        const job = await here.rotation.rotate('user-kek', owner);
        clock.advance(1);
        expect(await here.runner.run(job!.id)).toBe(false);
        clock.advance(1);
        expect(await here.runner.run(job!.id)).toBe(true);
      });

      it('is resumed by another worker when the lease of one that died has ended', async () => {
        const rows = await secretKeys(250);
        const job = await here.rotation.rotate('user-kek', owner);
        clock.advance(2);
        const dying = here.runner.run(job!.id, {
          onProgress: ({ done }) => {
            if (done === 200) throw new Error('killed');
          },
        });
        await expect(dying).rejects.toThrow('killed');
        expect(await childrenOf(job!.from_key_id!)).toBe(50);
        clock.advance(29);
        expect(await there.runner.run(job!.id)).toBe(false);
        clock.advance(1);
        expect(await there.runner.run(job!.id)).toBe(true);
        expect(await childrenOf(job!.from_key_id!)).toBe(0);
        expect(await rows.read(there.keyring)).toHaveLength(250);
      });

      it('lets a worker whose job was taken over write nothing more', async () => {
        await secretKeys(250);
        const job = await here.rotation.rotate('user-kek', owner);
        clock.advance(2);
        const stale = await here.jobs.claim(job!.id, {
          worker: 'a',
          nowMs: clock.nowMs(),
          untilMs: clock.nowMs() + 30_000,
          begunUntilMs: clock.nowMs(),
          misdatedFromMs: Number.MAX_SAFE_INTEGER,
        });
        clock.advance(30);
        expect(await there.runner.run(job!.id)).toBe(true);
        expect(await here.jobs.renew(stale!, { moved: 1, position: '', untilMs: 0 })).toBeUndefined();
        expect(await here.jobs.finish(stale!, { nowMs: clock.nowMs(), remaining: 0 })).toBe(false);
      });

      it('lets it write nothing of the step that it is at either', async () => {
        const rows = await secretKeys(50);
        const job = await here.rotation.rotate('user-kek', owner);
        clock.advance(2);
        const next = here.steps.next.bind(here.steps);
        here.steps.next = async (...args) => {
          here.steps.next = next;
          const step = await next(...args);
          clock.advance(31);
          await leaseFor(job!.id, 30);
          return step;
        };
        expect(await here.runner.run(job!.id)).toBe(false);
        expect(await childrenOf(job!.from_key_id!)).toBe(50);
        expect(await rows.read(there.keyring)).toHaveLength(50);
      });

      it.each([
        ['began', async () => {}],
        ['was taken up', (id: string) => leaseFor(id, 30)],
      ])('is not held up by a clock that was a day ahead when it %s', async (_claim, prepare) => {
        await secretKeys(50);
        clock.advance(86_400);
        const job = await here.rotation.rotate('user-kek', owner);
        await prepare(job!.id);
        clock.advance(-86_400);
        expect(await there.runner.run(job!.id)).toBe(true);
        expect(await childrenOf(job!.from_key_id!)).toBe(0);
      });

      it('makes no key wait for a clock that was a day ahead', async () => {
        await here.keyring.blindIndexKeys(owner);
        clock.advance(86_400);
        const job = await here.rotation.rotate('blind-index', owner);
        clock.advance(-86_400);
        expect(await here.runner.run(job!.id)).toBe(false);
        expect(await states('blind-index')).toEqual(['PRIMARY', 'PENDING']);
        clock.advance(2);
        await here.runner.run(job!.id);
        clock.advance(2);
        expect(await here.runner.run(job!.id)).toBe(true);
        expect(await states('blind-index')).toEqual(['DISABLED', 'PRIMARY']);
      });

      it('stops when it is told to and can go on at once', async () => {
        await secretKeys(150);
        const job = await here.rotation.rotate('user-kek', owner);
        clock.advance(2);
        const stop = new AbortController();
        const stopped = here.runner.run(job!.id, { signal: stop.signal, onProgress: () => stop.abort() });
        expect(await stopped).toBe(false);
        expect(await there.runner.run(job!.id)).toBe(true);
      });

      it('replaces nothing where there is nothing', async () => {
        expect(await here.rotation.rotate('blind-index-kek', 'system')).toBeUndefined();
        expect(await here.rotation.rotate('user-kek', randomUUID())).toBeUndefined();
      });

      it('reaches every owner', async () => {
        const owners = [owner, randomUUID(), randomUUID()];
        for (const other of owners.slice(1)) await here.keyring.createUserKey(other);
        const begun: string[] = [];
        for await (const job of here.rotation.rotateAll('user-kek', neverFails)) begun.push(job.owner_id);
        expect(begun).toEqual(owners.toSorted());
      });

      it('reaches every other owner when the keys of one were damaged', async () => {
        const owners = [owner, randomUUID(), randomUUID()].toSorted();
        for (const other of owners) {
          if (other !== owner) await here.keyring.createUserKey(other);
          await here.keyring.encryptionKey({ purpose: 'contacts', owner: other });
        }
        const { id } = await database.query
          .updateTable('keys')
          .set({ wrapped: Buffer.from('broken') })
          .where('purpose', '=', 'user-kek')
          .where('owner_id', '=', owners[0]!)
          .returning('id')
          .executeTakeFirstOrThrow();
        const begun: string[] = [];
        const failed: [string, unknown][] = [];
        const { rotation } = openRotation(database, rootKey, clock);
        const jobs = rotation.rotateAll('contacts', (...failure) => failed.push(failure));
        for await (const job of jobs) begun.push(job.owner_id);
        expect(begun).toEqual(owners.slice(1));
        expect(failed).toEqual([
          [owners[0], expect.objectContaining({ name: 'DecryptionError', keyId: id })],
        ]);
      });

      it.each([1, 3])('is begun anew when it meets %i promotions of a root key', async (times) => {
        const { rotation } = await rotationUnderPromotions(times);
        expect(await rotation.rotate('user-kek', owner)).toMatchObject({ kind: 'REWRAP' });
        expect(await states('user-kek')).toEqual(['DECRYPT_ONLY', 'PRIMARY']);
        expect((await states('root')).slice(-2)).toEqual(['DECRYPT_ONLY', 'PRIMARY']);
      });

      it('ends with one line for the operator, and changes nothing, when it meets one each time', async () => {
        const { rotation, jobs } = await rotationUnderPromotions(Infinity);
        const refused: unknown = await rotation.rotate('user-kek', owner).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(StartError);
        expect(refused).toMatchObject({
          message: expect.stringMatching(
            /^key [0-9a-f]{16} or the key it is under was changed meanwhile: try again$/,
          ),
        });
        expect(await states('user-kek')).toEqual(['PRIMARY']);
        expect(await jobs.listUnfinished('', 1)).toEqual([]);
      });
    });

    describe('of a data key', () => {
      it('re-encrypts every row under the new one', async () => {
        const rows = new InMemoryRows('contacts', owner, here.keyring);
        here.registry.register(rows);
        await rows.add(...Array.from({ length: 130 }, (_, index) => `contact ${index}`));
        const texts = await rows.read();
        const { from_key_id: oldId, done, total } = await rotate('contacts');
        expect({ done, total }).toEqual({ done: 130, total: 130 });
        expect(rows.keyIds).not.toContain(oldId);
        expect(await rows.read(there.keyring)).toEqual(texts);
      });

      it('gives every value of a purpose with a key a value a new key, and ends the old ones', async () => {
        const rows = await secretKeys(45);
        here.registry.register(rows);
        const old = rows.keyIds;
        const texts = await rows.read();
        await rotate('secret');
        expect(rows.keyIds.filter((id) => old.includes(id))).toEqual([]);
        expect(await here.keyring.decryptionKey(old[0]!)).toBeDefined();
        clock.advance(5);
        await here.scheduler.run();
        for (const id of old) {
          expect(await there.keys.find(id)).toMatchObject({ state: 'DESTROYED', wrapped: null });
        }
        expect(await rows.read(there.keyring)).toEqual(texts);
      });

      it('looks values up under both index keys until every row is under the new one', async () => {
        await here.keyring.blindIndexKeys(owner);
        const versions = async () =>
          (await there.keyring.blindIndexKeys(owner)).map(({ version }) => version);
        const job = await here.rotation.rotate('blind-index', owner);
        // Every instance looks the new key's rows up before one makes any.
        clock.advance(1.999);
        expect(await versions()).toEqual([1, 2]);
        expect(await here.runner.run(job!.id)).toBe(false);
        expect(await states('blind-index')).toEqual(['PRIMARY', 'PENDING']);
        clock.advance(0.001);
        expect(await here.runner.run(job!.id)).toBe(false);
        expect(await states('blind-index')).toEqual(['DECRYPT_ONLY', 'PRIMARY']);
        // Every instance makes the new key's rows before the old ones are brought to it.
        clock.advance(1.999);
        expect(await versions()).toEqual([2, 1]);
        expect(await here.runner.run(job!.id)).toBe(false);
        clock.advance(0.001);
        expect(await here.runner.run(job!.id)).toBe(true);
        clock.advance(1);
        expect(await versions()).toEqual([2]);
        expect(await states('blind-index')).toEqual(['DISABLED', 'PRIMARY']);
      });
    });

    describe('with something that can not be decrypted', () => {
      it('moves the rest of the rows, tells it once, and keeps the key', async () => {
        const rows = new InMemoryRows('contacts', owner, here.keyring);
        here.registry.register(rows);
        await rows.add(...Array.from({ length: 130 }, (_, index) => `contact ${index}`));
        for (const index of [0, 1, 77]) rows.damage(index);
        const { job, skipped } = await skippedBy('contacts');
        expect(job).toMatchObject({
          done: 127,
          total: 130,
          remaining: 3,
          finished_at: clock.nowMs() - 2_000,
        });
        const oldId = job.from_key_id!;
        expect(skipped.map(({ id, keyId }) => [id, keyId])).toEqual(
          ['0', '1', '77'].map((id) => [id, oldId]),
        );
        await expect(here.destruction.destroy(oldId)).rejects.toThrow(`key ${oldId} is in use by 3`);
      });

      it('gives the other values new keys, and ends the keys of those only', async () => {
        const rows = await secretKeys(45);
        here.registry.register(rows);
        const old = rows.keyIds;
        rows.damage(3);
        const { job } = await skippedBy('secret');
        expect(job).toMatchObject({ done: 44, remaining: 1 });
        clock.advance(5);
        await here.scheduler.run();
        const ended = await Promise.all(old.map(async (id) => (await there.keys.find(id))?.state));
        expect(ended).toEqual(old.map((_id, index) => (index === 3 ? 'DECRYPT_ONLY' : 'DESTROYED')));
      });

      it('wraps the other keys anew', async () => {
        const rows = await secretKeys(100);
        const damagedId = rows.keyIds[50]!;
        await database.query
          .updateTable('keys')
          .set({ wrapped: Buffer.alloc(82) })
          .where('id', '=', damagedId)
          .execute();
        const { job, skipped } = await skippedBy('user-kek');
        expect(job).toMatchObject({ done: 99, remaining: 1 });
        expect(skipped).toMatchObject([{ id: damagedId, keyId: job.from_key_id }]);
        const oldId = job.from_key_id!;
        await expect(here.destruction.destroy(oldId)).rejects.toThrow(`key ${oldId} is in use by 1`);
      });

      it('ends too when the key-encryption key itself is damaged: nothing under it can be saved', async () => {
        await secretKeys(50);
        await database.query
          .updateTable('keys')
          .set({ wrapped: Buffer.alloc(82) })
          .where('purpose', '=', 'user-kek')
          .execute();
        const { job, skipped } = await skippedBy('user-kek', there);
        expect(job).toMatchObject({ done: 0, remaining: 50 });
        expect(skipped).toHaveLength(50);
      });

      it('keeps looking values up under the old index key', async () => {
        await here.keyring.blindIndexKeys(owner);
        here.registry.register({ purpose: 'blind-index', count: async () => 1, reencrypt: async () => 0 });
        const { job } = await skippedBy('blind-index');
        expect(job.remaining).toBe(1);
        clock.advance(1);
        expect((await there.keyring.blindIndexKeys(owner)).map(({ version }) => version)).toEqual([2, 1]);
      });
    });

    it('is remembered for thirty days when it has ended, and for ever while it has not', async () => {
      const { id } = await rotate('user-kek');
      const begun = await here.rotation.rotate('user-kek', owner);
      clock.advance(30 * 86_400 - 1);
      await leaseFor(begun!.id, 30);
      await here.scheduler.run();
      expect(await here.inventory.findJob(id)).toMatchObject({ id });
      clock.advance(1);
      await here.scheduler.run();
      expect(await here.inventory.findJob(id)).toBeUndefined();
      expect(await here.inventory.unfinishedJobs()).toMatchObject([{ id: begun!.id }]);
    });

    describe('of the token key', () => {
      it('publishes the new key first, then signs with it, then forgets the old one', async () => {
        const { kid: oldId } = await here.keyring.tokenSigningKey();
        const job = await here.rotation.rotate('token-signing', 'system');
        expect(await published()).toHaveLength(2);
        clock.advance(59);
        expect(await here.runner.run(job!.id)).toBe(false);
        expect((await there.keyring.tokenSigningKey()).kid).toBe(oldId);
        clock.advance(1);
        expect(await here.runner.run(job!.id)).toBe(true);
        clock.advance(1);
        const { kid: newId } = await there.keyring.tokenSigningKey();
        expect(newId).not.toBe(oldId);
        // Access tokens live for 300 s, and five more are for clocks that differ; one has passed.
        clock.advance(303);
        expect((await there.keyring.tokenVerificationKey(oldId))?.kid).toBe(oldId);
        clock.advance(1);
        expect(await there.keyring.tokenVerificationKey(oldId)).toBeUndefined();
        expect(await published()).toEqual([newId]);
        await here.scheduler.run();
        expect(await states('token-signing')).toEqual(['DESTROYED', 'PRIMARY']);
      });

      it('is begun once by sixteen that race', async () => {
        await here.keyring.tokenSigningKey();
        await Promise.all(
          Array.from({ length: 16 }, (_, index) =>
            (index % 2 ? here : there).rotation.rotate('token-signing', 'system'),
          ),
        );
        expect(await states('token-signing')).toEqual(['PRIMARY', 'PENDING']);
      });
    });

    describe('by age', () => {
      const day = 86_400;

      it('replaces key-encryption keys and the token key when they are old enough', async () => {
        await here.keyring.tokenSigningKey();
        clock.advance(30 * day + 1);
        await here.scheduler.run();
        expect(await states('token-signing')).toEqual(['PRIMARY', 'PENDING']);
        expect(await states('user-kek')).toEqual(['PRIMARY']);
        clock.advance(60 * day);
        await here.scheduler.run();
        expect(await states('user-kek')).toEqual(['DECRYPT_ONLY', 'PRIMARY']);
        clock.advance(2);
        await here.scheduler.run();
        expect(await here.inventory.unfinishedJobs()).toEqual([]);
      });

      it('goes on with all others when one can not be replaced, and with what else is due', async () => {
        await here.keyring.tokenSigningKey();
        await here.keyring.createUserKey(randomUUID());
        clock.advance(31 * day);
        const broken = { wrapped: Buffer.from('broken') };
        const kek = database.query.updateTable('keys').set(broken).where('purpose', '=', 'token-signing-kek');
        await kek.execute();
        const begun = await there.rotation.rotate('user-kek', owner);
        clock.advance(2);
        await there.scheduler.run();
        expect(await states('token-signing')).toEqual(['PRIMARY']);
        expect(await there.inventory.findJob(begun!.id)).toMatchObject({ remaining: 0 });
      });

      it('begins nothing with KEY_ROTATION=manual, but ends what was begun', async () => {
        const manual = openRotation(otherDatabase, rootKey, clock, { KEY_ROTATION: 'manual' });
        await manual.keyring.tokenSigningKey();
        clock.advance(3_651 * day);
        await manual.scheduler.run();
        expect(await states('user-kek')).toEqual(['PRIMARY']);
        expect(await states('token-signing')).toEqual(['PRIMARY']);
        await here.rotation.rotate('user-kek', owner);
        await here.rotation.rotate('token-signing', 'system');
        clock.advance(60);
        await manual.scheduler.run();
        expect(await here.inventory.unfinishedJobs()).toEqual([]);
        expect(await states('token-signing')).toEqual(['DECRYPT_ONLY', 'PRIMARY']);
      });
    });
  });
});
