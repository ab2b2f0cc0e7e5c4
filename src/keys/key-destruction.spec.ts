import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { FakeClock } from '../../test/support/fake-clock.js';
import { InMemoryRows } from '../../test/support/in-memory-rows.js';
import { openKeyring } from '../../test/support/keyring.js';
import { openRotation, type Rotation } from '../../test/support/key-rotation.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { OwnerDeletedError } from '../common/app-error.js';
import { type Database } from '../database/database.js';
import { openDatabase } from '../database/open-database.js';
import { KeyInUseError } from './errors.js';
import { type KeyPurposeName } from './key-purposes.js';

describe('the destruction of a key', () => {
  forEachDatabaseKind((kind) => {
    const rootKey = new StaticRootKeyProvider();
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
      here = openRotation(database, rootKey, clock);
      owner = randomUUID();
      await here.keyring.createUserKey(owner);
    });
    afterAll(() => testDatabase.remove());

    async function begin(purpose: KeyPurposeName): Promise<{ jobId: string; oldId: string }> {
      const job = await here.rotation.rotate(purpose, owner);
      clock.advance(2);
      return { jobId: job!.id, oldId: job!.from_key_id! };
    }

    it('is refused while it is primary, being replaced or unknown', async () => {
      const { id } = await here.keyring.encryptionKey({ purpose: 'contacts', owner });
      await expect(here.destruction.destroy(id)).rejects.toThrow(
        `key ${id} is PRIMARY: rotate contacts first`,
      );
      const { jobId } = await begin('contacts');
      await expect(here.destruction.destroy(id)).rejects.toThrow('is being replaced');
      expect(await here.runner.run(jobId)).toBe(true);
      await here.destruction.destroy(id);
      expect(await here.keys.find(id)).toMatchObject({
        state: 'DESTROYED',
        wrapped: null,
        destroyed_at: clock.nowMs(),
      });
      await expect(here.destruction.destroy(id)).rejects.toThrow('is destroyed already');
      await expect(here.destruction.destroy('0000000000000000')).rejects.toThrow(KeyInUseError);
    });

    it('is refused for a root key, which `root complete` gives up', async () => {
      await expect(here.destruction.destroy(rootKey.id)).rejects.toThrow(`key ${rootKey.id} is a root key`);
    });

    it('is refused while keys are under it, and says how many', async () => {
      await new InMemoryRows('secret', owner, here.keyring).add('a', 'b', 'c');
      const { jobId, oldId } = await begin('user-kek');
      expect(await here.runner.run(jobId)).toBe(true);
      await sql`update keys set parent_id = ${oldId} where owner_id = ${owner} and purpose = 'secret'`.execute(
        database.query,
      );
      await expect(here.destruction.destroy(oldId)).rejects.toThrow(`key ${oldId} is in use by 3`);
    });

    it('is refused while rows are under it, and a resumed rotation brings them over', async () => {
      const rows = new InMemoryRows('contacts', owner, here.keyring);
      await rows.add('a', 'b');
      const { jobId, oldId } = await begin('contacts');
      expect(await here.runner.run(jobId)).toBe(true);
      here.registry.register(rows);
      await expect(here.destruction.destroy(oldId)).rejects.toThrow(`key ${oldId} is in use by 2`);
      const found: string[] = [];
      for await (const { purpose, ownerId } of here.inventory.stragglers()) {
        found.push(ownerId);
        await here.rotation.resume(purpose, ownerId);
      }
      expect(found).toEqual([owner]);
      clock.advance(2);
      await here.runner.runAll();
      await here.destruction.destroy(oldId);
      clock.advance(1);
      expect(await rows.read()).toEqual(['a', 'b']);
    });

    it('leaves no key under it, of sixteen that are made at the same moment', async () => {
      const { jobId, oldId } = await begin('user-kek');
      expect(await here.runner.run(jobId)).toBe(true);
      const stale = await Promise.all(
        Array.from({ length: 16 }, () =>
          here.primaries.make('secret', owner, { version: 1, state: 'DECRYPT_ONLY' }),
        ),
      );
      const oldKey = await here.keyring.decryptionKey(oldId);
      const results = await Promise.all([
        here.destruction.destroy(oldId).then(
          () => 'destroyed',
          () => 'refused',
        ),
        ...stale.map(({ row }) => here.keys.insert({ ...row, parent_id: oldKey!.id })),
      ]);
      const inserted = results.slice(1).filter(Boolean).length;
      expect(results[0]).toBe(inserted === 0 ? 'destroyed' : 'refused');
    });

    it('of all keys of a user makes everything of theirs unreadable within a second, and nothing of others', async () => {
      const stranger = randomUUID();
      await here.keyring.createUserKey(stranger);
      const theirs = new InMemoryRows('secret', owner, here.keyring);
      const others = new InMemoryRows('secret', stranger, here.keyring);
      await theirs.add('a');
      await others.add('b');
      await here.rotation.rotate('user-kek', owner);
      await here.destruction.destroyOwner(owner);
      clock.advance(1);
      await expect(theirs.read()).rejects.toThrow(OwnerDeletedError);
      expect(await others.read()).toEqual(['b']);
      await expect(theirs.add('c')).rejects.toThrow(OwnerDeletedError);
      expect(await here.jobs.findUnfinished('user-kek', owner)).toBeUndefined();
    });

    it.each([
      ['was destroyed', { state: 'DESTROYED', wrapped: null }],
      ['was disabled', { state: 'DISABLED' }],
      ['is over', { not_after: 1 }],
    ] as const)('leaves none in memory that %s, whatever its row says a minute later', async (_how, end) => {
      const rows = new InMemoryRows('contacts', owner, here.keyring);
      await rows.add('a');
      expect(await rows.read()).toEqual(['a']);
      const key = database.query.updateTable('keys').where('purpose', '=', 'contacts');
      const anew = { state: 'DECRYPT_ONLY', not_after: null, wrapped: Buffer.alloc(82) } as const;
      await key.set(anew).execute();
      expect(await rows.read()).toEqual(['a']);
      await key.set(end).execute();
      await here.scheduler.run();
      await key.set(anew).execute();
      const refused = { name: 'DecryptionError', keyId: rows.keyIds[0] };
      await expect(rows.read()).rejects.toMatchObject(refused);
    });
  });

  it('of a user makes their data keys in a backup worthless too', async () => {
    const rootKey = new StaticRootKeyProvider();
    const clock = new FakeClock();
    const testDatabase = await TestDatabase.create('sqlite');
    const database = await testDatabase.openMigrated();
    const here = openRotation(database, rootKey, clock);
    const [owner, stranger] = [randomUUID(), randomUUID()];
    const rows = [owner, stranger].map((id) => new InMemoryRows('contacts', id, here.keyring));
    for (const id of [owner, stranger]) await here.keyring.createUserKey(id);
    for (const one of rows) await one.add('a');

    const backup = `${testDatabase.file}.backup`;
    const file = new DatabaseSync(testDatabase.file);
    file.prepare('vacuum into ?').run(backup);
    file.close();
    await here.destruction.destroyOwner(owner);
    const destroyed = await database.query
      .selectFrom('keys')
      .select(['id', 'state', 'wrapped'])
      .where('owner_id', '=', owner)
      .where('purpose', '=', 'user-kek')
      .execute();

    const restored = await openDatabase({ url: `sqlite:${backup}`, creates: true, onIdleError: () => {} });
    const before = openKeyring(restored, rootKey, clock).keyring;
    expect(await Promise.all(rows.map((one) => one.read(before)))).toEqual([['a'], ['a']]);
    // The backup's data keys beside the key-encryption keys as they are now.
    for (const { id, ...now } of destroyed) {
      await restored.query.updateTable('keys').set(now).where('id', '=', id).execute();
    }
    const after = openKeyring(restored, rootKey, clock).keyring;
    await expect(rows[0]!.read(after)).rejects.toThrow('is gone');
    expect(await rows[1]!.read(after)).toEqual(['a']);
    await restored.close();
    await testDatabase.remove();
  });

  it('leaves nothing of it in the files of SQLite, nor of a key that was brought under another', async () => {
    const clock = new FakeClock();
    const testDatabase = await TestDatabase.create('sqlite');
    const database = await testDatabase.openMigrated();
    const here = openRotation(database, new StaticRootKeyProvider(), clock);
    const owners: string[] = Array.from({ length: 20 }, () => randomUUID());
    for (const owner of owners) {
      await here.keyring.createUserKey(owner);
      const rows = new InMemoryRows('secret', owner, here.keyring);
      await rows.add('a', 'b', 'c');
    }
    const all = database.query.selectFrom('keys').select(['owner_id', 'purpose', 'wrapped']);
    const before = await all.execute();
    const gone = before
      .filter(({ owner_id: owner }) => owners.includes(owner))
      .filter(({ owner_id: owner, purpose }) => owners.indexOf(owner) % 2 === 0 || purpose !== 'user-kek');
    for (const [index, owner] of owners.entries()) {
      if (index % 2 === 0) await here.destruction.destroyOwner(owner);
      else await here.rotation.rotate('user-kek', owner);
    }
    clock.advance(2);
    await here.scheduler.run();

    const file = testDatabase.file;
    const isStored = ({ wrapped }: { wrapped: Uint8Array | null }) =>
      ['', '-wal'].some((suffix) => readFileSync(file + suffix).includes(wrapped!));
    const live = await all.where('wrapped', 'is not', null).execute();
    expect(live.every(isStored)).toBe(true);
    expect(gone).toHaveLength(70);
    expect(gone.filter(isStored)).toEqual([]);
    await testDatabase.remove();
  });
});
