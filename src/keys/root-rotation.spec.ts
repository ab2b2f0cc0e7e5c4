import { randomBytes, randomUUID } from 'node:crypto';
import { copyFile, link, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { openKeyring } from '../../test/support/keyring.js';
import { whenSomeoneWaits } from '../../test/support/lock-waits.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { AppConfig } from '../config/app-config.js';
import { parseEnvironment } from '../config/environment.js';
import { type Database } from '../database/database.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { type KeyringService } from './keyring.service.js';
import { KeysRepository } from './keys.repository.js';
import { openRootKeys } from './open-root-keys.js';
import { RootKeyPlaces } from './root-key-places.js';
import { type RootKeys } from './root-keys.js';
import { RootRotation } from './root-rotation.js';
import { RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';

const noProgress = () => {};
const idOf = (name: string) => FileRootKeyProvider.load(name).id;
const unfinished = (name: string) => `${name}.0123456789ab.unfinished`;
const fresh = () => randomBytes(32).toString('base64url');

describe('changing the root key', () => {
  forEachDatabaseKind((kind) => {
    let directory: string;
    let file: string;
    let testDatabase: TestDatabase;
    let database: Database;
    let keyring: KeyringService;
    let rotation: RootRotation;
    let owner: string;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'root-rotation-'));
      file = join(directory, 'root.key');
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      keyring = await newKeyring();
      rotation = newRotation();
      owner = await newUser();
      await keyring.tokenSigningKey();
    });
    afterEach(async () => {
      await testDatabase.remove();
      await rm(directory, { recursive: true });
    });

    function configOf(environment: Readonly<Record<string, string>>): AppConfig {
      return new AppConfig(parseEnvironment({ DATA_DIR: directory, ...environment }));
    }

    /** As another instance that starts now. */
    async function newKeyring(environment = {}): Promise<KeyringService> {
      return openKeyring(database, await newRootKeys(environment), new FakeClock()).keyring;
    }

    function newRootKeys(environment = {}): Promise<RootKeys> {
      const places = new RootKeyPlaces(configOf(environment).keys);
      const repository = new RootWrappedKeysRepository(database);
      return openRootKeys(places, { mayGenerate: true }, repository, new FakeClock());
    }

    function newRotation(environment = {}): RootRotation {
      const places = new RootKeyPlaces(configOf(environment).keys);
      return new RootRotation(places, new RootWrappedKeysRepository(database), database, new FakeClock());
    }

    async function newUser(of = keyring): Promise<string> {
      const id = randomUUID();
      await of.createUserKey(id);
      await of.encryptionKey({ purpose: 'contacts', owner: id });
      return id;
    }

    function refusal(environment = {}): Promise<string> {
      return newKeyring(environment).then(
        () => 'started',
        (error: Error) => `${error.name} ${error.message}`,
      );
    }

    const rootRows = () =>
      database.query
        .selectFrom('keys')
        .select(['id', 'version', 'state', 'wrapped'])
        .where('purpose', '=', 'root')
        .orderBy('version')
        .execute();
    const rootIds = () => new RootWrappedKeysRepository(database).findRootIds();

    /** Whether the user's keys unwrap, for an instance with empty caches. */
    async function isReadable(id = owner, environment = {}): Promise<boolean> {
      const key = await (await newKeyring(environment)).encryptionKey({ purpose: 'contacts', owner: id });
      return key.owner === id;
    }

    it('leaves every key readable at every step and, at its end, nothing of the old one', async () => {
      const old = idOf(file);
      const staged = rotation.stage();
      expect(staged).toEqual({ id: idOf(`${file}.next`), file: `${file}.next` });
      expect(await isReadable()).toBe(true);

      const progress: (readonly [number, number])[] = [];
      const promoted = await rotation.promote((...counts) => progress.push(counts));
      expect(promoted).toEqual({ id: staged?.id, count: 2 });
      expect(progress).toEqual([[2, 2]]);
      expect([idOf(file), idOf(`${file}.previous`)]).toEqual([staged?.id, old]);
      expect(await rootIds()).toEqual([staged?.id]);
      expect(await isReadable()).toBe(true);

      expect(await rotation.complete()).toEqual({ file: `${file}.previous`, isOverwritten: true });
      expect(await readdir(directory)).toEqual(expect.not.arrayContaining(['root.key.previous']));
      expect(await isReadable()).toBe(true);
      expect(await rotation.complete()).toBeUndefined();
    });

    it('needs no restart: an instance from before wraps under the new one at once', async () => {
      rotation.stage();
      await rotation.promote(noProgress);
      const user = await newUser();
      expect(await rootIds()).toEqual([idOf(file)]);
      await rotation.complete();
      expect(await isReadable(user)).toBe(true);
      expect(await isReadable(await newUser())).toBe(true);
    });

    /** By somebody who writes to the database and nothing else. */
    async function makePrimaryAgain(old: string): Promise<void> {
      const roots = database.query.updateTable('keys').where('purpose', '=', 'root');
      await roots.set({ state: 'DECRYPT_ONLY' }).where('state', '=', 'PRIMARY').execute();
      await roots.set({ state: 'PRIMARY', destroyed_at: null }).where('id', '=', old).execute();
    }

    it('is given up by running instances, also by one that missed it, whatever its row says later', async () => {
      const old = idOf(file);
      const idle = await newKeyring();
      const kek = database.query.selectFrom('keys').select(['id', 'parent_id', 'wrapped']);
      const { id, ...before } = await kek.where('purpose', '=', 'user-kek').executeTakeFirstOrThrow();
      rotation.stage();
      await rotation.promote(noProgress);
      await newUser();
      await rotation.complete();
      for (const instance of [keyring, idle]) await instance.forgetEnded();

      await makePrimaryAgain(old);
      for (const instance of [keyring, idle]) {
        const refused = { name: 'DecryptionError', keyId: old };
        await expect(instance.createUserKey(randomUUID())).rejects.toMatchObject(refused);
      }
      await database.query.updateTable('keys').set(before).where('id', '=', id).execute();
      const restored = idle.encryptionKey({ purpose: 'contacts', owner });
      const refused = { name: 'DecryptionError', keyId: id, cause: { keyId: old } };
      await expect(restored).rejects.toMatchObject({ name: 'DecryptionError', cause: refused });
      expect(await refusal()).toContain(`holds root key ${idOf(file)}, but the database needs ${old}`);
    });

    it('lets no key be put under the old one once it is promoted, though it was wrapped before', async () => {
      const late = randomUUID();
      const { primaries, repository } = openKeyring(database, await newRootKeys(), new FakeClock());
      const { row } = await primaries.make('user-kek', late, { version: 1, state: 'PRIMARY' });
      expect(row.parent_id).toBe(idOf(file));
      rotation.stage();
      await rotation.promote(noProgress);
      expect(await repository.insert(row)).toBe(false);
      await rotation.complete();
      expect(await repository.insert(row)).toBe(false);
      // What an instance does then: it wraps the key anew.
      await (await newKeyring()).createUserKey(late);
      expect(await rootIds()).toEqual([idOf(file)]);
      expect(await isReadable(late)).toBe(true);
    });

    it('waits for keys that are being put under the old one, and moves them', async () => {
      rotation.stage();
      const late = randomUUID();
      const inserted = Promise.withResolvers<void>();
      const commit = Promise.withResolvers<void>();
      const inserting = database.transaction(async () => {
        await keyring.createUserKey(late);
        inserted.resolve();
        await commit.promise;
      });
      await inserted.promise;
      const promoting = rotation.promote(noProgress);
      const first = await Promise.race([
        promoting.then(() => 'promoted'),
        whenSomeoneWaits(database, testDatabase),
      ]);
      expect(first).toBe('waiting');
      commit.resolve();
      await inserting;
      expect((await promoting).count).toBe(3);
      expect(await rootIds()).toEqual([idOf(file)]);
      await rotation.complete();
      expect(await isReadable(late)).toBe(true);
    });

    it('loses no key of sixteen that are made while it is promoted and completed', async () => {
      rotation.stage();
      const others = await Promise.all([newKeyring(), newKeyring()]);
      const [, ...users] = await Promise.all([
        rotation.promote(noProgress).then(() => rotation.complete()),
        ...Array.from({ length: 16 }, (_, index) => newUser(others[index % 2])),
      ]);
      expect(await rootIds()).toEqual([idOf(file)]);
      for (const user of users) expect(await isReadable(user)).toBe(true);
    });

    /** Another process, which is held up around its transaction until it may go on. */
    function heldUp(where: 'before' | 'after') {
      const reached = Promise.withResolvers<void>();
      const mayGoOn = Promise.withResolvers<void>();
      const holdUp = async () => {
        reached.resolve();
        await mayGoOn.promise;
      };
      const held: Pick<Database, 'transaction'> = {
        transaction: async (work) => {
          if (where === 'before') await holdUp();
          const result = await database.transaction(work);
          if (where === 'after') await holdUp();
          return result;
        },
      };
      const places = new RootKeyPlaces(configOf({}).keys);
      const repository = new RootWrappedKeysRepository(database);
      const other = new RootRotation(places, repository, held as Database, new FakeClock());
      return { promoting: other.promote(noProgress), reached: reached.promise, goOn: mayGoOn.resolve };
    }

    it('is not lost to a promotion that was held up while the one after it was staged', async () => {
      rotation.stage();
      const { promoting, reached, goOn } = heldUp('after');
      await reached;
      await rotation.promote(noProgress);
      await rotation.complete();
      const id = idOf(file);
      const next = rotation.stage()?.id;
      goOn();
      await promoting;
      expect([idOf(file), idOf(`${file}.next`)]).toEqual([id, next]);
      expect(await isReadable()).toBe(true);
    });

    it('is not brought back by a promotion that was held up while it was changed again', async () => {
      rotation.stage();
      const { promoting, reached, goOn } = heldUp('before');
      await reached;
      for (let change = 0; change < 2; change++) {
        await rotation.promote(noProgress);
        await rotation.complete();
        if (change === 0) rotation.stage();
      }
      goOn();
      await expect(promoting).rejects.toThrow('was replaced meanwhile: nothing was changed');
      expect(await rootIds()).toEqual([idOf(file)]);
      expect(await isReadable(await newUser())).toBe(true);
    });

    it('that is gone from its file is missed before the current one is replaced', async () => {
      const id = rotation.stage()?.id;
      const { promoting, reached, goOn } = heldUp('after');
      await reached;
      await rename(`${file}.next`, `${file}.away`);
      goOn();
      await expect(promoting).rejects.toThrow(`root.key.next holds root key ${id} no more`);
    });

    it('is not completed before it is promoted, nor while a key is wrapped by the old one', async () => {
      const second = fresh();
      const both = { ROOT_KEY: second, ROOT_KEY_PREVIOUS_FILE: file };
      const old = idOf(file);
      await expect(newRotation(both).complete()).rejects.toThrow(`root key ${old} wraps new keys still`);
      await newRotation(both).promote(noProgress);
      await database.query
        .updateTable('keys')
        .set({ parent_id: old })
        .where('purpose', '=', 'user-kek')
        .execute();
      await expect(newRotation(both).complete()).rejects.toThrow(
        `1 keys are still wrapped by root key ${old}`,
      );
      expect(idOf(file)).toBe(old);
    });

    it('has a row of each root key, as of every key, but nothing that wraps', async () => {
      const old = idOf(file);
      rotation.stage();
      await rotation.promote(noProgress);
      const next = { id: idOf(file), version: 2, state: 'PRIMARY', wrapped: null };
      expect(await rootRows()).toEqual([{ id: old, version: 1, state: 'DECRYPT_ONLY', wrapped: null }, next]);
      await rotation.complete();
      expect(await rootRows()).toEqual([{ id: old, version: 1, state: 'DESTROYED', wrapped: null }, next]);
    });

    it('is finished by promoting again after a kill before the commit', async () => {
      rotation.stage();
      await link(file, `${file}.previous`);
      expect(await isReadable()).toBe(true);
      expect((await rotation.promote(noProgress)).count).toBe(2);
      expect(await isReadable()).toBe(true);
    });

    it('is finished by promoting again after a kill between the commit and the files', async () => {
      const id = rotation.stage()?.id;
      await rotation.promote(noProgress);
      await rename(file, `${file}.next`);
      await link(`${file}.previous`, file);
      expect(await isReadable()).toBe(true);
      const user = await newUser();
      await expect(rotation.complete()).rejects.toThrow(`root key ${id} is staged`);
      expect(await rotation.promote(noProgress)).toEqual({ id, count: 0 });
      expect(idOf(file)).toBe(id);
      expect(await isReadable(user)).toBe(true);
      expect(await rotation.promote(noProgress)).toEqual({ id, count: 0 });
      await rotation.complete();
      expect(await isReadable(user)).toBe(true);
    });

    it('changes nothing when one key cannot be unwrapped', async () => {
      const old = idOf(file);
      rotation.stage();
      const { id } = await database.query
        .updateTable('keys')
        .set({ wrapped: randomBytes(82) })
        .where('purpose', '=', 'user-kek')
        .returning('id')
        .executeTakeFirstOrThrow();
      await expect(rotation.promote(noProgress)).rejects.toThrow(
        `key ${id} cannot be unwrapped with root key ${old}`,
      );
      expect(await rootIds()).toEqual([old]);
      expect(idOf(file)).toBe(old);
    });

    it('brings no destroyed key back', async () => {
      const repository = new RootWrappedKeysRepository(database);
      const [key] = await repository.find(idOf(file), 1);
      await database.query
        .updateTable('keys')
        .set({ state: 'DESTROYED', wrapped: null })
        .where('id', '=', key!.id)
        .execute();
      expect(await repository.move(key!.id, key!.parent_id, 'b'.repeat(16), key!.wrapped)).toBe(false);
      expect((await new KeysRepository(database).find(key!.id))?.wrapped).toBeNull();
    });

    it('refuses to begin twice, without a staged key, or before the last change is complete', async () => {
      await expect(rotation.promote(noProgress)).rejects.toThrow('there is no other root key');
      rotation.stage();
      expect(() => rotation.stage()).toThrow('root.key.next exists already');
      await rotation.promote(noProgress);
      expect(() => rotation.stage()).toThrow('finish the last change');
    });

    it('never removes the current file that is given as the previous one too', async () => {
      const same = newRotation({ ROOT_KEY_PREVIOUS_FILE: join(directory, '.', 'root.key') });
      await expect(same.complete()).rejects.toThrow('is the current one');
      expect(await isReadable()).toBe(true);
    });

    it('never gives up a root key that the database never had, such as one of another deployment', async () => {
      const other = join(directory, 'other.key');
      await writeFile(other, randomBytes(32), { mode: 0o600 });
      await expect(newRotation({ ROOT_KEY_PREVIOUS_FILE: other }).complete()).rejects.toThrow(
        `root key file ${other} holds root key ${idOf(other)}, which this database never had: nothing was removed`,
      );
      expect(idOf(other)).toMatch(/^[0-9a-f]{16}$/);
    });

    it('is completed on another instance after it was on one', async () => {
      await copyFile(file, `${file}.copy`);
      rotation.stage();
      await rotation.promote(noProgress);
      await rotation.complete();
      await rename(`${file}.copy`, `${file}.previous`);
      expect(await rotation.complete()).toEqual({ file: `${file}.previous`, isOverwritten: true });
    });

    it('is changed and completed in a database that it wrapped nothing in', async () => {
      await database.query.deleteFrom('keys').execute();
      rotation.stage();
      expect((await rotation.promote(noProgress)).count).toBe(0);
      expect(await rotation.complete()).toMatchObject({ isOverwritten: true });
    });

    it('leaves no copy of itself after kills while it was made and while the next one was staged', async () => {
      await link(file, unfinished(file));
      await newKeyring();
      rotation.stage();
      await link(`${file}.next`, unfinished(`${file}.next`));
      await newKeyring();
      await rotation.promote(noProgress);
      expect((await readdir(directory)).filter((name) => name.endsWith('.unfinished'))).toEqual([]);

      await link(`${file}.previous`, unfinished(`${file}.next`));
      expect(await rotation.complete()).toMatchObject({ isOverwritten: true });
      expect((await readdir(directory)).filter((name) => name.startsWith('root.key'))).toEqual(['root.key']);
    });

    it('says so when it cannot overwrite a file whose bytes have another name', async () => {
      rotation.stage();
      await rotation.promote(noProgress);
      await link(`${file}.previous`, join(directory, 'backup'));
      expect(await rotation.complete()).toEqual({ file: `${file}.previous`, isOverwritten: false });
    });

    describe('in variables', () => {
      it('promotes ROOT_KEY over ROOT_KEY_PREVIOUS, also from a file', async () => {
        const [first, second] = [fresh(), fresh()];
        const toVariable = { ROOT_KEY: first, ROOT_KEY_PREVIOUS_FILE: file };
        const user = await newUser(await newKeyring(toVariable));
        expect(await rootIds()).toEqual([idOf(file)]);
        expect((await newRotation(toVariable).promote(noProgress)).count).toBe(3);
        expect(await newRotation(toVariable).complete()).toEqual({ file, isOverwritten: true });
        expect(await isReadable(user, { ROOT_KEY: first })).toBe(true);

        expect(newRotation({ ROOT_KEY: first }).stage()).toBeUndefined();
        const both = { ROOT_KEY: second, ROOT_KEY_PREVIOUS: first };
        expect(await isReadable(user, both)).toBe(true);
        expect((await newRotation(both).promote(noProgress)).count).toBe(3);
        expect(() => newRotation(both).stage()).toThrow('ROOT_KEY_PREVIOUS holds root key');
        const completed = await newRotation(both).complete();
        expect(completed).toEqual({ variable: 'ROOT_KEY_PREVIOUS' });
        expect(await isReadable(user, { ROOT_KEY: second })).toBe(true);
      });

      it('gives ROOT_KEY_PREVIOUS up once the change is complete, and at a start after it', async () => {
        const [first, second] = [fresh(), fresh()];
        await database.query.deleteFrom('keys').execute();
        const user = await newUser(await newKeyring({ ROOT_KEY: first }));
        const [old] = await rootIds();
        const both = { ROOT_KEY: second, ROOT_KEY_PREVIOUS: first };
        const running = await newKeyring(both);
        await newRotation(both).promote(noProgress);
        await newRotation(both).complete();
        await running.forgetEnded();
        const started = await newKeyring(both);
        await makePrimaryAgain(old!);
        for (const instance of [running, started]) {
          expect((await instance.encryptionKey({ purpose: 'contacts', owner: user })).owner).toBe(user);
          const refused = { name: 'DecryptionError', keyId: old };
          await expect(instance.createUserKey(randomUUID())).rejects.toMatchObject(refused);
        }
      });

      it('refuses a file and ROOT_KEY_PREVIOUS together once the file is to change', async () => {
        const mixed = newRotation({ ROOT_KEY_PREVIOUS: fresh() });
        rotation.stage();
        await expect(mixed.promote(noProgress)).rejects.toThrow('while ROOT_KEY_PREVIOUS is set');
      });
    });

    describe('refuses to start', () => {
      it('with another variable, naming both ids and no key', async () => {
        const value = randomBytes(32).toString('base64url');
        const message = await refusal({ ROOT_KEY: value });
        expect(message).toMatch(
          /^StartError ROOT_KEY holds root key [0-9a-f]{16}, but the database needs [0-9a-f]{16}: restore the right one$/,
        );
        expect(message).not.toContain(value);
      });

      it('without the previous root key while something needs it', async () => {
        const old = idOf(file);
        await rename(file, `${file}.away`);
        await writeFile(file, randomBytes(32), { mode: 0o600 });
        expect(await refusal()).toContain(`holds root key ${idOf(file)}, but the database needs ${old}`);
        await writeFile(`${file}.next`, randomBytes(32), { mode: 0o600 });
        expect(await refusal()).toContain(`and beside it is ${idOf(`${file}.next`)}, but the database needs`);
        expect(await refusal({ ROOT_KEY_PREVIOUS_FILE: `${file}.away` })).toBe('started');
      });

      it('with a previous or next file of another length or mode', async () => {
        await writeFile(`${file}.previous`, randomBytes(31), { mode: 0o600 });
        const needed = `; the database needs root key ${idOf(file)}`;
        expect(await refusal()).toContain(
          `root.key.previous is 31 bytes, want 32: restore it from its backup${needed}`,
        );
        await rm(`${file}.previous`);
        await writeFile(`${file}.next`, randomBytes(32), { mode: 0o640 });
        expect(await refusal()).toContain('root.key.next has mode 640, want 600');
      });

      it('when its root key is gone while the next one is there', async () => {
        rotation.stage();
        await rm(file);
        expect(await refusal()).toMatch(/root\.key is missing and the database needs root key/);
      });
    });
  });
});
