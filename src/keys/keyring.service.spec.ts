import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { openKeyring } from '../../test/support/keyring.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { OwnerDeletedError } from '../common/app-error.js';
import { DecryptionError } from '../crypto/errors.js';
import { randomKeyId } from '../crypto/symmetric-key.js';
import { type Database } from '../database/database.js';
import { type KeyringService } from './keyring.service.js';
import { type KeyRow, KeysRepository } from './keys.repository.js';
import { wrappingContext } from './wrapping-context.js';

describe('KeyringService', () => {
  forEachDatabaseKind((kind) => {
    const rootKey = new StaticRootKeyProvider();
    let clock: FakeClock;
    let testDatabase: TestDatabase;
    let database: Database;
    let otherDatabase: Database;
    let keyring: KeyringService;
    let owner: string;
    beforeAll(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      otherDatabase = await testDatabase.open();
    });
    beforeEach(async () => {
      clock = new FakeClock();
      keyring = newKeyring(database);
      owner = randomUUID();
      await keyring.createUserKey(owner);
    });
    afterAll(() => testDatabase.remove());

    /** With caches of its own, as another instance of the application. */
    function newKeyring(on: Database): KeyringService {
      return openKeyring(on, rootKey, clock).keyring;
    }

    function primary(of = keyring) {
      return of.encryptionKey({ purpose: 'contacts', owner });
    }

    async function setState(id: string, state: 'DECRYPT_ONLY' | 'DISABLED' | 'DESTROYED'): Promise<void> {
      const changes = state === 'DESTROYED' ? { state, wrapped: null } : { state };
      await database.query.updateTable('keys').set(changes).where('id', '=', id).execute();
    }

    it('gives the primary key of a purpose and owner, and finds it again by its id', async () => {
      const key = await primary();
      const context = { purpose: 'contacts', owner };
      const envelope = key.encrypt(Buffer.from('text'), context);
      expect((await primary()).id).toBe(key.id);
      const found = await newKeyring(otherDatabase).decryptionKey(key.id);
      expect(found?.decrypt(envelope, context).toString()).toBe('text');
    });

    it('lets two instances that race to make the first key agree on one', async () => {
      const other = newKeyring(otherDatabase);
      const keys = await Promise.all(
        Array.from({ length: 16 }, (_, index) => primary(index % 2 ? keyring : other)),
      );
      expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
      const system = await Promise.all([keyring, other].map((one) => one.tokenSigningKey()));
      expect(system[0]?.kid).toBe(system[1]?.kid);
    });

    it('gives every secret value a key of its own', async () => {
      const keys = await Promise.all(
        [1, 2, 3].map(() => keyring.encryptionKey({ purpose: 'secret', owner })),
      );
      expect(new Set(keys.map(({ id }) => id)).size).toBe(3);
    });

    it('never uses a key again that was made in a transaction that was undone', async () => {
      let undoneId = '';
      const undone = database.transaction(async () => {
        undoneId = (await primary()).id;
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      const key = await primary();
      expect(key.id).not.toBe(undoneId);
      expect(await keyring.decryptionKey(undoneId)).toBeUndefined();
      expect((await newKeyring(otherDatabase).decryptionKey(key.id))?.id).toBe(key.id);
    });

    it('makes no new key-encryption key for a user whose own was undone or destroyed', async () => {
      const stranger = randomUUID();
      const undone = database.transaction(async () => {
        await keyring.createUserKey(stranger);
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      await expect(keyring.encryptionKey({ purpose: 'contacts', owner: stranger })).rejects.toThrow(
        OwnerDeletedError,
      );
    });

    it.each(['DISABLED', 'DESTROYED'] as const)(
      'stops using a key within a second of its being %s',
      async (state) => {
        const other = newKeyring(otherDatabase);
        const { id } = await primary();
        expect((await other.decryptionKey(id))?.id).toBe(id);
        await setState(id, state);
        clock.advance(1);
        expect(await keyring.decryptionKey(id)).toBeUndefined();
        expect(await other.decryptionKey(id)).toBeUndefined();
      },
    );

    it('decrypts with a retired key, encrypts with its successor', async () => {
      const retired = await primary();
      await setState(retired.id, 'DECRYPT_ONLY');
      clock.advance(1);
      expect((await primary()).id).not.toBe(retired.id);
      expect((await keyring.decryptionKey(retired.id))?.id).toBe(retired.id);
    });

    it('stops verifying and publishing a disabled token key within a second', async () => {
      const { kid } = await keyring.tokenSigningKey();
      expect((await keyring.publicTokenKeys()).map((key) => key.kid)).toContain(kid);
      await setState(kid, 'DISABLED');
      clock.advance(1);
      expect(await keyring.tokenVerificationKey(kid)).toBeUndefined();
      expect((await keyring.publicTokenKeys()).map((key) => key.kid)).not.toContain(kid);
      expect((await keyring.tokenSigningKey()).kid).not.toBe(kid);
    });

    it('refuses a wrapped key that was moved to another row', async () => {
      const stranger = randomUUID();
      await keyring.createUserKey(stranger);
      const theirs = await keyring.encryptionKey({ purpose: 'contacts', owner: stranger });
      const ours = await primary();
      const row = await new KeysRepository(database).find(theirs.id);
      await database.query
        .updateTable('keys')
        .set({ wrapped: row?.wrapped ?? null, parent_id: row?.parent_id ?? '' })
        .where('id', '=', ours.id)
        .execute();
      const fresh = newKeyring(otherDatabase);
      await expect(fresh.decryptionKey(ours.id)).rejects.toThrow(DecryptionError);
      await expect(primary(fresh)).rejects.toThrow(DecryptionError);
    });

    it.each<[string, (id: string) => Partial<KeyRow>]>([
      ['whose bytes were changed', () => ({ wrapped: Buffer.from('broken') })],
      ['of another suite', () => ({ suite: 'COBBLESTONE-256' })],
      ['of a suite that nobody knows', () => ({ suite: 'ROT13' })],
      ['of a purpose that nobody knows', () => ({ purpose: 'unknown' })],
      ['that is its own parent', (id) => ({ parent_id: id })],
    ])('names a key %s in its refusal, and answers at once', async (_what, change) => {
      const { id } = await primary();
      const changed = change(id) as Partial<Record<'purpose', never>>;
      await database.query.updateTable('keys').set(changed).where('id', '=', id).execute();
      const refused = newKeyring(otherDatabase).decryptionKey(id);
      await expect(refused).rejects.toMatchObject({ code: 'ERR_DECRYPTION', keyId: id });
    });

    it.each<[string, Partial<KeyRow>]>([
      ['without bytes', { wrapped: null }],
      ['whose time is over', { not_after: 1 }],
    ])('names a primary key %s, which only somebody else can have made of it', async (_what, changes) => {
      const { id } = await primary();
      await database.query
        .updateTable('keys')
        .set(changes as Pick<KeyRow, 'not_after' | 'wrapped'>)
        .where('id', '=', id)
        .execute();
      await expect(primary(newKeyring(otherDatabase))).rejects.toThrow(`primary is ${id}`);
    });

    it.each(['0000000000000000', '', "' or 1=1 --", '../x'])('knows no key %j', async (id) => {
      expect(await keyring.decryptionKey(id)).toBeUndefined();
      expect(await keyring.tokenVerificationKey(id)).toBeUndefined();
    });

    it.each(['purpose', 'owner_id', 'suite'] as const)(
      'refuses a key that it has unwrapped already once its %s is another one',
      async (column) => {
        const { id } = await keyring.macKey('refresh-token');
        expect((await keyring.macKeyById('refresh-token', id))?.id).toBe(id);
        const other = { purpose: 'audit-chain', owner_id: owner, suite: 'Ed25519' }[column];
        const change = { [column]: other };
        await database.query.updateTable('keys').set(change).where('id', '=', id).execute();
        clock.advance(1);
        const { purpose } = { purpose: 'refresh-token', ...change };
        await expect(keyring.macKeyById(purpose, id)).rejects.toMatchObject({
          name: 'DecryptionError',
          keyId: id,
        });
      },
    );

    it('decrypts with a key of another suite than its purpose has now', async () => {
      const context = { purpose: 'contacts', owner };
      const { primaries } = openKeyring(database, rootKey, clock);
      const { row } = await primaries.get('user-kek', owner);
      const kek = await keyring.decryptionKey(row.id);
      const old = {
        id: randomKeyId(),
        parent_id: row.id,
        owner_id: owner,
        purpose: 'contacts',
        suite: 'COBBLESTONE-256',
      } as const;
      const raw = Buffer.alloc(32, 7);
      const times = { created_at: 1, activated_at: 1, not_after: null, destroyed_at: null };
      await new KeysRepository(database).insert({
        ...old,
        ...times,
        version: 1,
        state: 'PRIMARY',
        wrapped: kek!.encrypt(raw, wrappingContext(old)),
      });
      const key = await keyring.encryptionKey(context);
      expect(key).toMatchObject({ id: old.id, suite: 'COBBLESTONE-256' });
      const envelope = key.encrypt(Buffer.from('text'), context);
      const found = await newKeyring(otherDatabase).decryptionKey(old.id);
      expect(found?.decrypt(envelope, context).toString()).toBe('text');
    });

    it('looks values up under the primary index key first, then under those that are being replaced', async () => {
      const [old] = await keyring.blindIndexKeys(owner);
      const rows = database.query.selectFrom('keys').select('id').where('owner_id', '=', owner);
      const { id } = await rows.where('purpose', '=', 'blind-index').executeTakeFirstOrThrow();
      await setState(id, 'DECRYPT_ONLY');
      clock.advance(1);
      const versions = async () => (await keyring.blindIndexKeys(owner)).map(({ version }) => version);
      expect(await versions()).toEqual([2, old.version]);
      await setState(id, 'DISABLED');
      clock.advance(1);
      expect(await versions()).toEqual([2]);
    });

    it('refuses a key whose time is over', async () => {
      const { kid } = await keyring.tokenSigningKey();
      const changes = { state: 'DECRYPT_ONLY', not_after: clock.nowMs() + 5_000 } as const;
      await database.query.updateTable('keys').set(changes).where('id', '=', kid).execute();
      clock.advance(4);
      expect((await keyring.tokenVerificationKey(kid))?.kid).toBe(kid);
      clock.advance(1);
      expect(await keyring.tokenVerificationKey(kid)).toBeUndefined();
      expect((await keyring.publicTokenKeys()).map((key) => key.kid)).not.toContain(kid);
    });

    it.each(['DISABLED', 'DESTROYED'] as const)(
      'puts no key under one that was %s a moment ago on another instance',
      async (state) => {
        const { primaries, repository } = openKeyring(database, rootKey, clock);
        const { row } = await primaries.get('user-kek', owner);
        const made = await primaries.make('contacts', owner, { version: 1, state: 'PRIMARY' });
        await setState(row.id, state);
        expect(await repository.insert(made.row)).toBe(false);
        await expect(primaries.create('secret', owner)).rejects.toThrow(OwnerDeletedError);
        const children = database.query.selectFrom('keys').select('id').where('parent_id', '=', row.id);
        expect(await children.execute()).toEqual([]);
      },
    );

    it('refuses purposes that are not known for the owner', async () => {
      for (const context of [
        { purpose: 'unknown', owner },
        { purpose: 'constructor', owner },
        { purpose: 'password-pepper', owner },
        { purpose: 'contacts', owner: 'system' },
      ]) {
        await expect(keyring.encryptionKey(context)).rejects.toThrow(TypeError);
      }
    });
  });
});
