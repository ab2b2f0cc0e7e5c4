import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { FakeKms, FakeKmsRootKeyProvider } from '../../test/support/fake-kms.js';
import { openKeyring } from '../../test/support/keyring.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { AppConfig } from '../config/app-config.js';
import { parseEnvironment } from '../config/environment.js';
import { type Database } from '../database/database.js';
import { openRootKeys } from './open-root-keys.js';
import { RootKeyPlaces, rootKeyProviders } from './root-key-places.js';
import { RootRotation } from './root-rotation.js';
import { RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';

const noProgress = () => {};

describe('a root key in a key management service', () => {
  forEachDatabaseKind((kind) => {
    const clock = new FakeClock();
    let directory: string;
    let testDatabase: TestDatabase;
    let database: Database;
    let kms: FakeKms;
    let first: string;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'kms-root-key-'));
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      kms = new FakeKms();
      first = `kms:${kms.createKey()}`;
    });
    afterEach(async () => {
      await testDatabase.remove();
      await rm(directory, { recursive: true });
    });

    const openInKms = (name: string) => new FakeKmsRootKeyProvider(kms, name);

    /** What the start makes of the variables, with one line more in the table of providers. */
    function placesOf(environment: Readonly<Record<string, string>>): RootKeyPlaces {
      const { keys } = new AppConfig(parseEnvironment({ DATA_DIR: directory, ...environment }));
      return new RootKeyPlaces(keys, { ...rootKeyProviders, kms: openInKms });
    }

    async function start(environment: Readonly<Record<string, string>>) {
      const repository = new RootWrappedKeysRepository(database);
      const places = placesOf(environment);
      const rootKeys = await openRootKeys(places, { mayGenerate: true }, repository, clock);
      return {
        keyring: openKeyring(database, rootKeys, clock).keyring,
        rotation: new RootRotation(places, repository, database, clock),
      };
    }

    async function newUser(environment: Readonly<Record<string, string>>): Promise<string> {
      const { keyring } = await start(environment);
      const owner = randomUUID();
      await keyring.createUserKey(owner);
      await keyring.encryptionKey({ purpose: 'contacts', owner });
      return owner;
    }

    async function isReadable(
      owner: string,
      environment: Readonly<Record<string, string>>,
    ): Promise<boolean> {
      const key = await (await start(environment)).keyring.encryptionKey({ purpose: 'contacts', owner });
      return key.owner === owner;
    }

    it('is changed for another: staged by the operator, promoted, completed, then deleted in the service', async () => {
      const users = [await newUser({ ROOT_KEY: first })];
      expect((await start({ ROOT_KEY: first })).rotation.stage()).toBeUndefined();

      const second = `kms:${kms.createKey()}`;
      const both = { ROOT_KEY: second, ROOT_KEY_PREVIOUS: first };
      users.push(await newUser(both));
      const { rotation } = await start(both);
      await expect(rotation.complete()).rejects.toThrow('wraps new keys still');
      expect((await rotation.promote(noProgress)).count).toBe(2);
      users.push(await newUser(both));
      expect(await rotation.complete()).toEqual({ variable: 'ROOT_KEY_PREVIOUS' });

      kms.deleteKey(first.slice('kms:'.length));
      for (const user of users) expect(await isReadable(user, { ROOT_KEY: second })).toBe(true);
      expect(await readdir(directory)).toEqual([]);
    });

    it('takes over from a file, which is removed', async () => {
      const user = await newUser({});
      const file = join(directory, 'root.key');
      const toKms = { ROOT_KEY: first, ROOT_KEY_PREVIOUS_FILE: file };
      await (await start(toKms)).rotation.promote(noProgress);
      expect(await (await start(toKms)).rotation.complete()).toEqual({ file, isOverwritten: true });
      expect(await isReadable(user, { ROOT_KEY: first })).toBe(true);
    });

    it('is not given up for a service that can not be reached', async () => {
      const user = await newUser({ ROOT_KEY: first });
      kms.deleteKey(first.slice('kms:'.length));
      await expect(isReadable(user, { ROOT_KEY: first })).rejects.toThrow('NotFoundException');
    });

    it('of a provider that nobody wrote is refused at the start, with those there are', async () => {
      await expect(start({ ROOT_KEY: 'vault:transit/root' })).rejects.toThrow(
        'ROOT_KEY names the root key provider vault, want one of env, kms',
      );
    });
  });
});
