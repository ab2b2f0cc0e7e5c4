import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { InMemoryRows } from '../../test/support/in-memory-rows.js';
import { openRotation, type Rotation } from '../../test/support/key-rotation.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { type Database } from '../database/database.js';
import { type KeyJob } from './key-jobs.repository.js';

describe('the inventory of keys', () => {
  forEachDatabaseKind((kind) => {
    let clock: FakeClock;
    let testDatabase: TestDatabase;
    let database: Database;
    let here: Rotation;
    let owner: string;
    beforeAll(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
    });
    beforeEach(async () => {
      clock = new FakeClock();
      await database.query.deleteFrom('key_jobs').execute();
      await database.query.deleteFrom('keys').execute();
      here = openRotation(database, new StaticRootKeyProvider(), clock);
      owner = randomUUID();
      await here.keyring.createUserKey(owner);
    });
    afterAll(() => testDatabase.remove());

    async function run(job: KeyJob): Promise<KeyJob | undefined> {
      clock.advance(2);
      await here.runner.run(job.id, { onSkip: () => {} });
      return here.inventory.findJob(job.id);
    }

    async function rotate(purpose: 'secret' | 'user-kek'): Promise<KeyJob | undefined> {
      const job = await here.rotation.rotate(purpose, owner);
      return job && run(job);
    }

    /** What `keys rewrap` does. */
    async function resumeAll(): Promise<(KeyJob | undefined)[]> {
      clock.advance(1);
      for await (const { purpose, ownerId, leftBy } of here.inventory.stragglers())
        await here.rotation.resume(purpose, ownerId, leftBy);
      return Promise.all((await here.inventory.unfinishedJobs()).map(run));
    }

    it('finds a value whose key was left behind, until it has another one, and no other value', async () => {
      const rows = new InMemoryRows('secret', owner, here.keyring);
      await rows.add('a', 'b', 'c');
      here.registry.register(rows);
      rows.damage(1);
      const [, left] = rows.keyIds;
      expect(await rotate('secret')).toMatchObject({ done: 2, remaining: 1 });
      await rows.add('d');
      const moved = rows.keyIds;

      expect(await resumeAll()).toMatchObject([{ done: 0, total: 1, remaining: 1 }]);
      rows.damage(1);
      expect(await resumeAll()).toMatchObject([{ done: 1, total: 1, remaining: 0 }]);
      expect(await resumeAll()).toEqual([]);
      expect(rows.keyIds.map((id, index) => id === moved[index])).toEqual([true, false, true, true]);
      expect(await rows.read()).toEqual(['a', 'b', 'c', 'd']);
      clock.advance(6);
      await here.destruction.destroyEnded();
      expect((await here.keys.find(left ?? ''))?.state).toBe('DESTROYED');
    });

    it('leaves a value alone whose rotation was begun anew', async () => {
      const rows = new InMemoryRows('secret', owner, here.keyring);
      await rows.add('a');
      here.registry.register(rows);
      rows.damage(0);
      await rotate('secret');
      rows.damage(0);
      expect(await rotate('secret')).toMatchObject({ remaining: 0 });
      expect(await resumeAll()).toEqual([]);
    });

    it('counts keys and rows, and says nothing of what it does not count', async () => {
      const rows = new InMemoryRows('secret', owner, here.keyring);
      await rows.add('a');
      here.registry.register(rows);
      await here.keyring.tokenSigningKey();
      await here.keyring.macKey('audit-chain');
      const usesOf = async (of: string) =>
        Object.fromEntries((await here.inventory.ofOwner(of)).map(({ purpose, uses }) => [purpose, uses]));
      expect(await usesOf(owner)).toEqual({ 'user-kek': 1, secret: 1 });
      expect(await usesOf('system')).toMatchObject({
        'token-signing-kek': 1,
        'token-signing': undefined,
        'audit-kek': 1,
        'audit-chain': undefined,
      });
    });

    it('has no keys of nobody, and nothing of theirs is rotated', async () => {
      expect(await here.inventory.ofOwner('nobody')).toEqual([]);
      expect(await here.rotation.rotate('secret', 'nobody')).toBeUndefined();
      expect(await here.rotation.rotate('user-kek', 'nobody')).toBeUndefined();
      expect(await here.inventory.unfinishedJobs()).toEqual([]);
    });
  });
});
