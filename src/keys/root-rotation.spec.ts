import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { openKeyring } from '../../test/support/keyring.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { AppConfig } from '../config/app-config.js';
import { parseEnvironment } from '../config/environment.js';
import { type Database } from '../database/database.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { type KeyringService } from './keyring.service.js';
import { KeysRepository } from './keys.repository.js';
import { openRootKeys } from './open-root-keys.js';
import { RootRotation } from './root-rotation.js';
import { RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';

const noProgress = () => {};
const idOf = (name: string) => FileRootKeyProvider.load(name).id;
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
      const { keys } = configOf(environment);
      const repository = new RootWrappedKeysRepository(database);
      const rootKeys = await openRootKeys(keys, { mayGenerate: true }, repository);
      return openKeyring(database, rootKeys, new FakeClock()).keyring;
    }

    function newRotation(
      environment = {},
      repository = new RootWrappedKeysRepository(database),
    ): RootRotation {
      return new RootRotation(configOf(environment), repository, database);
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

      const progress: number[] = [];
      const promoted = await rotation.promote((count) => progress.push(count));
      expect(promoted).toEqual({ id: staged?.id, count: progress.at(-1) });
      expect(promoted.count).toBe(2);
      expect([idOf(file), idOf(`${file}.previous`)]).toEqual([staged?.id, old]);
      expect(await rootIds()).toEqual([staged?.id]);
      expect(await isReadable()).toBe(true);

      expect(await rotation.complete(noProgress)).toEqual({ count: 0, file: `${file}.previous` });
      expect(await readdir(directory)).toEqual(expect.not.arrayContaining(['root.key.previous']));
      expect(await isReadable()).toBe(true);
      expect(await rotation.complete(noProgress)).toBeUndefined();
    });

    it('needs no restart: an instance from before wraps under the new one at once', async () => {
      rotation.stage();
      await rotation.promote(noProgress);
      const user = await newUser();
      expect(await rootIds()).toEqual([idOf(file)]);
      await rotation.complete(noProgress);
      expect(await isReadable(user)).toBe(true);
      expect(await isReadable(await newUser())).toBe(true);
    });

    it('re-wraps what was made under the old one meanwhile before it is given up', async () => {
      const old = await newKeyring({ ROOT_KEY_FILE: file });
      const late = randomUUID();
      rotation.stage();
      await rotation.promote(noProgress);
      const oldRoot = FileRootKeyProvider.load(`${file}.previous`);
      await database.transaction(async () => {
        await old.createUserKey(late);
        await wrapUnder(late, oldRoot);
      });
      expect(await rootIds()).toHaveLength(2);
      expect(await isReadable(late)).toBe(true);
      expect((await rotation.complete(noProgress))?.count).toBe(1);
      expect(await rootIds()).toEqual([idOf(file)]);
      expect(await isReadable(late)).toBe(true);
    });

    /** As an instance does whose insert is late. */
    async function wrapUnder(user: string, root: FileRootKeyProvider): Promise<void> {
      const row = await database.query
        .selectFrom('keys')
        .selectAll()
        .where('owner_id', '=', user)
        .executeTakeFirstOrThrow();
      const context = { kid: row.id, owner: user, purpose: row.purpose, suite: row.suite };
      const raw = await FileRootKeyProvider.load(file).unwrap(row.wrapped!, {
        ...context,
        parent: row.parent_id,
      });
      const wrapped = await root.wrap(raw, { ...context, parent: root.id });
      await database.query
        .updateTable('keys')
        .set({ parent_id: root.id, wrapped })
        .where('id', '=', row.id)
        .execute();
    }

    it('is not completed while a key is wrapped by the old one, and says how many', async () => {
      rotation.stage();
      await rotation.promote(noProgress);
      const late = new (class extends RootWrappedKeysRepository {
        override async count(): Promise<number> {
          return 3;
        }
      })(database);
      const old = idOf(`${file}.previous`);
      await expect(newRotation({}, late).complete(noProgress)).rejects.toThrow(
        `3 keys are still wrapped by root key ${old}`,
      );
      expect(idOf(`${file}.previous`)).toBe(old);
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
      await expect(rotation.complete(noProgress)).rejects.toThrow(`root key ${id} is staged`);
      expect(await rotation.promote(noProgress)).toEqual({ id, count: 0 });
      expect(idOf(file)).toBe(id);
      expect(await isReadable(user)).toBe(true);
      expect(await rotation.promote(noProgress)).toEqual({ id, count: 0 });
      await rotation.complete(noProgress);
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
      await expect(same.complete(noProgress)).rejects.toThrow('is the current one');
      expect(await isReadable()).toBe(true);
    });

    describe('in variables', () => {
      it('promotes ROOT_KEY over ROOT_KEY_PREVIOUS, also from a file', async () => {
        const [first, second] = [fresh(), fresh()];
        const toVariable = { ROOT_KEY: first, ROOT_KEY_PREVIOUS_FILE: file };
        const user = await newUser(await newKeyring(toVariable));
        expect(await rootIds()).toEqual([idOf(file)]);
        expect((await newRotation(toVariable).promote(noProgress)).count).toBe(3);
        expect(await newRotation(toVariable).complete(noProgress)).toEqual({ count: 0, file });
        expect(await isReadable(user, { ROOT_KEY: first })).toBe(true);

        expect(newRotation({ ROOT_KEY: first }).stage()).toBeUndefined();
        const both = { ROOT_KEY: second, ROOT_KEY_PREVIOUS: first };
        expect(await isReadable(user, both)).toBe(true);
        expect((await newRotation(both).promote(noProgress)).count).toBe(3);
        expect(() => newRotation(both).stage()).toThrow('ROOT_KEY_PREVIOUS holds root key');
        const completed = await newRotation(both).complete(noProgress);
        expect(completed).toEqual({ count: 0, variable: 'ROOT_KEY_PREVIOUS' });
        expect(await isReadable(user, { ROOT_KEY: second })).toBe(true);
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
        expect(await refusal()).toContain('root.key.previous is 31 bytes, want 32');
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
