import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { whenSomeoneWaits } from '../../test/support/lock-waits.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { OwnerDeletedError } from '../common/app-error.js';
import { type Database } from './database.js';
import { KeyEndedError } from './errors.js';
import { type Schema } from './schema.js';

type Table = 'contacts' | 'secret_versions' | 'shares' | 'totp_factors' | 'users';

const BYTES = Buffer.from([1]);
const STATES = ['PRIMARY', 'DECRYPT_ONLY', 'DISABLED', 'DESTROYED'] as const;
/** Every column that names the key which its row was made with, and a good row. */
const columns: readonly (readonly [Table, string, Readonly<Record<string, unknown>>])[] = [
  ['users', 'email_key_id', user('0', 'PRIMARY')],
  ['users', 'password_key_id', user('0', 'PRIMARY')],
  ['totp_factors', 'seed_key_id', { user_id: 'ada', seed_ciphertext: BYTES, created_at: 0 }],
  ['contacts', 'key_id', { id: 'c', owner_id: 'ada', ciphertext: BYTES, created_at: 0, updated_at: 0 }],
  ['secret_versions', 'key_id', { secret_id: 's', version: 1, ciphertext: BYTES, created_at: 0 }],
  ['shares', 'key_id', share()],
  ['shares', 'passphrase_key_id', { ...share(), key_id: 'PRIMARY', passphrase_ciphertext: BYTES }],
];

describe('a row', () => {
  forEachDatabaseKind((kind) => {
    let testDatabase: TestDatabase;
    let database: Database;
    beforeAll(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      for (const [index, state] of STATES.entries()) {
        for (const owner_id of ['system', 'ada']) {
          const id = owner_id === 'system' ? state : `${owner_id} ${state}`;
          const purpose = { suite: '', purpose: 'blind-index', version: index + 1, parent_id: '' };
          const key = { id, owner_id, ...purpose, state, wrapped: BYTES, created_at: 0 };
          await database.query.insertInto('keys').values(key).execute();
        }
      }
      await insert('users', user('ada', 'PRIMARY'));
      await insert('secrets', {
        id: 's',
        owner_id: 'ada',
        name: 'n',
        metadata: '{}',
        cas_required: 0,
        ...SECRET,
      });
    });
    afterAll(() => testDatabase.remove());

    function insert(table: keyof Schema, row: object): Promise<void> {
      return database.insert(table, row);
    }

    /** Whether it is taken, inserted and as a change; nothing of it stays. */
    async function isTaken(table: Table, good: object, changed: object): Promise<boolean[]> {
      const inserted = await succeeds(() => insert(table, { ...good, ...changed }));
      const updated = await succeeds(async () => {
        await insert(table, { ...good, created_at: 1 });
        await database.query
          .updateTable(table)
          .set(changed as never)
          .where('created_at', '=', 1 as never)
          .execute();
      });
      return [inserted, updated];
    }

    async function succeeds(write: () => Promise<void>): Promise<boolean> {
      const undone = new Error('undone');
      const written = database.transaction(async () => {
        await write();
        throw undone;
      });
      const error: unknown = await written.catch((cause: unknown) => cause);
      if (error !== undone && !(error instanceof KeyEndedError)) throw error;
      return error === undone;
    }

    it.each(columns)('of %s is written only under a %s that has not ended', async (table, column, row) => {
      const good = { ...row, [column]: 'PRIMARY' };
      for (const state of ['PRIMARY', 'DECRYPT_ONLY', '']) {
        expect(await isTaken(table, good, { [column]: state })).toEqual([true, true]);
      }
      for (const state of ['DISABLED', 'DESTROYED', 'no key']) {
        expect(await isTaken(table, good, { [column]: state })).toEqual([false, false]);
      }
    });

    it.each<[Table, Readonly<Record<string, unknown>>]>([
      ['users', user('0', 'PRIMARY')],
      ['contacts', { id: 'c', owner_id: 'ada', key_id: '', ciphertext: BYTES, created_at: 0, updated_at: 0 }],
    ])('of %s is indexed only under a key that has not ended', async (table, row) => {
      const good = { ...row, email_index: emailIndex(1) };
      for (const [index, isGood] of [true, true, false, false, false].entries()) {
        const changed = { email_index: emailIndex(index + 1) };
        expect(await isTaken(table, good, changed)).toEqual([isGood, isGood]);
      }
    });

    it.each(columns.filter(([table]) => table !== 'users'))(
      'of %s is refused as its owner, who is gone, and not as their %s',
      async (table, column, row) => {
        const owner = 'owner_id' in row ? { owner_id: 'gone' } : { user_id: 'gone' };
        const gone = table === 'secret_versions' ? { secret_id: 'gone' } : owner;
        const inserted = insert(table, { ...row, ...gone, [column]: 'DESTROYED' });
        await expect(inserted).rejects.toThrow(OwnerDeletedError);
      },
    );

    it('that is being written is waited for by who ends its key', async () => {
      const other = await testDatabase.open();
      const written = Promise.withResolvers<void>();
      const mayCommit = Promise.withResolvers<void>();
      const order: string[] = [];
      const writing = database.transaction(async () => {
        await insert('contacts', {
          id: 'late',
          owner_id: 'ada',
          key_id: 'PRIMARY',
          ciphertext: BYTES,
          created_at: 0,
          updated_at: 0,
        });
        written.resolve();
        await mayCommit.promise;
        order.push('written');
      });
      await written.promise;
      const ending = other
        .transaction(async () => {
          await sql`update keys set state = 'DESTROYED' where id = 'PRIMARY'`.execute(other.query);
          const rows = await other.query.selectFrom('contacts').select('id').execute();
          expect(rows).toEqual([{ id: 'late' }]);
        })
        .then(() => order.push('ended'));
      const waits = whenSomeoneWaits(database, testDatabase);
      expect(await Promise.race([ending.then(() => 'ended'), waits])).toBe('waiting');
      mayCommit.resolve();
      await Promise.all([writing, ending]);
      expect(order).toEqual(['written', 'ended']);
    });

    it('is written, if need be at a second attempt, when its keys are wrapped anew in the other order', async () => {
      const other = kind === 'sqlite' ? database : await testDatabase.open();
      const good = {
        owner_id: 'ada',
        key_id: 'DECRYPT_ONLY',
        ciphertext: BYTES,
        created_at: 2,
        updated_at: 2,
      };
      let writing: Promise<void> | undefined;
      const touch = (id: string) =>
        sql`update keys set wrapped = wrapped where id = ${id}`.execute(other.query);
      const wrapping = other.transaction(async () => {
        await touch('DECRYPT_ONLY');
        // Undone to end the deadlock, it is done again. By then nobody may wait any more.
        if (!writing) {
          // It has the key of its index, and waits for the other one.
          writing = insert('contacts', { ...good, id: 'crossed', email_index: emailIndex(2) });
          await whenSomeoneWaits(database, testDatabase);
        }
        await touch('ada DECRYPT_ONLY');
      });
      await wrapping;
      await writing;
      const rows = await database.query.selectFrom('contacts').select('id').execute();
      expect(rows).toContainEqual({ id: 'crossed' });
    });
  });
});

const SECRET = { latest_version: 1, metadata_revision: 0, created_at: 0, updated_at: 0 };

function user(id: string, keyId: string) {
  return {
    id,
    email_ciphertext: BYTES,
    email_key_id: keyId,
    email_index: Buffer.concat([emailIndex(1), Buffer.from(id)]),
    password_ciphertext: BYTES,
    password_key_id: keyId,
    password_changed_at: 0,
    roles: 'user',
    created_at: 0,
  };
}

function share() {
  const views = { views: 1, views_left: 1, created_at: 0, expires_at: 1 };
  return { id: 'h', owner_id: 'ada', token_digest: BYTES, ciphertext: BYTES, ...views };
}

/** Begins with the version of its key. */
function emailIndex(version: number): Buffer {
  const index = Buffer.alloc(20);
  index.writeUInt32BE(version);
  return index;
}
