import { AsyncResource } from 'node:async_hooks';
import { stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Migration, Migrator } from 'kysely/migration';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { StartError } from '../common/start-error.js';
import { type Database } from './database.js';
import { initial } from './migrations/0001-initial.js';
import { migrationsFor, SchemaMigrator } from './migrator.js';

describe('Database', () => {
  forEachDatabaseKind((kind) => {
    let testDatabase: TestDatabase;
    let database: Database;
    beforeEach(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
    });
    afterEach(() => testDatabase.remove());

    async function insert(id: string): Promise<void> {
      const row = {
        id,
        email_ciphertext: bytes,
        email_key_id: '',
        password_ciphertext: bytes,
        password_changed_at: 0,
        password_key_id: '',
      };
      const email_index = Buffer.from(id);
      const values = { ...row, email_index, roles: 'user', created_at: 0, disabled_at: null };
      await database.query.insertInto('users').values(values).execute();
    }

    async function touch(id: string): Promise<void> {
      await database.query.updateTable('users').set({ disabled_at: 1 }).where('id', '=', id).execute();
    }

    async function ids(from = database): Promise<string[]> {
      const rows = await from.query.selectFrom('users').select('id').orderBy('id').execute();
      return rows.map(({ id }) => id);
    }

    it('shows what a transaction wrote to itself, and to others only once it has committed', async () => {
      const other = await testDatabase.open();
      const written = Promise.withResolvers<void>();
      const mayCommit = Promise.withResolvers<void>();
      const transaction = database.transaction(async () => {
        await insert('a');
        expect(await ids()).toEqual(['a']);
        written.resolve();
        await mayCommit.promise;
      });
      await written.promise;
      expect(await ids()).toEqual([]);
      expect(await ids(other)).toEqual([]);
      mayCommit.resolve();
      await transaction;
      expect(await ids()).toEqual(['a']);
      // On SQLite another connection keeps what it read until its turn of the event loop is over.
      await nextTurn();
      expect(await ids(other)).toEqual(['a']);
    });

    it('adds rows with whichever columns they have, also inside a transaction', async () => {
      const key = {
        parent_id: '',
        owner_id: '',
        purpose: '',
        suite: '',
        version: 1,
        state: 'DECRYPT_ONLY' as const,
        wrapped: null,
        created_at: 7,
        activated_at: null,
        not_after: null,
        destroyed_at: null,
      };
      await database.insert('keys', { ...key, id: 'a' });
      await database.transaction(() =>
        database.insert('keys', { id: 'b', ...key, version: 2, wrapped: bytes }),
      );
      const { activated_at: _, ...shorter } = key;
      await database.insert('keys', { ...shorter, id: 'c', version: 3 });
      const rows = await database.query
        .selectFrom('keys')
        .select(['id', 'version', 'created_at'])
        .orderBy('id')
        .execute();
      expect(rows).toEqual([
        { id: 'a', version: 1, created_at: 7 },
        { id: 'b', version: 2, created_at: 7 },
        { id: 'c', version: 3, created_at: 7 },
      ]);
    });

    it('runs a prepared write with other arguments each time', async () => {
      const disable = database.prepare((query, id: string, atMs: number) =>
        query.updateTable('users').set({ disabled_at: atMs }).where('id', '=', id).returning('disabled_at'),
      );
      for (const id of ['a', 'b']) await insert(id);
      expect(await disable('a', 1)).toEqual([{ disabled_at: 1 }]);
      expect(await database.transaction(() => disable('b', 2))).toEqual([{ disabled_at: 2 }]);
      expect(await disable('c', 3)).toEqual([]);
    });

    it('undoes a transaction that throws, with the ones inside it, and says why', async () => {
      const outer = database.transaction(async () => {
        await insert('a');
        await database.transaction(() => insert('b'));
        throw new RangeError('changed my mind');
      });
      await expect(outer).rejects.toThrow(new RangeError('changed my mind'));
      expect(await ids()).toEqual([]);
      await database.transaction(() => insert('c'));
      expect(await ids()).toEqual(['c']);
    });

    it('undoes a transaction of which one statement fails', async () => {
      const twice = database.transaction(async () => {
        await insert('a');
        await insert('a');
      });
      await expect(twice).rejects.toThrow(/unique/i);
      expect(await ids()).toEqual([]);
    });

    it('does last acts after all else in the transaction, with all that is handed to them, and undoes it when one throws', async () => {
      const handed: (readonly string[])[] = [];
      const insertAll = async (names: readonly string[]) => {
        handed.push(names);
        for (const name of names) await insert(name);
      };
      await database.transaction(async () => {
        database.beforeCommit(insertAll, 'b');
        await database.transaction(async () => database.beforeCommit(insertAll, 'c'));
        await insert('a');
        expect(await ids()).toEqual(['a']);
      });
      expect(await ids()).toEqual(['a', 'b', 'c']);
      await database.transaction(async () => database.beforeCommit(insertAll, 'e'));
      expect(handed).toEqual([['b', 'c'], ['e']]);
      const undone = database.transaction(async () => {
        await insert('d');
        database.beforeCommit(() => Promise.reject(new RangeError('changed my mind')), 'x');
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await ids()).toEqual(['a', 'b', 'c', 'e']);
      expect(() => database.beforeCommit(async () => {}, 'x')).toThrow('no transaction');
    });

    it('does two that wait for each other one after the other', async () => {
      await insert('a');
      await insert('b');
      const begun: string[] = [];
      const met = Promise.withResolvers<void>();
      const swap = (first: string, second: string) =>
        database.transaction(async () => {
          begun.push(first);
          await touch(first);
          // SQLite lets only one begin: nobody comes to meet it.
          if (begun.length > 1 || kind === 'sqlite') met.resolve();
          await met.promise;
          await touch(second);
        });
      await Promise.all([swap('a', 'b'), swap('b', 'a')]);
      expect(new Set(begun)).toEqual(new Set(['a', 'b']));
      expect(begun).toHaveLength(kind === 'sqlite' ? 2 : 3);
    });

    it('acts afterwards outside of what is committed, and never after what is undone', async () => {
      const found: [boolean, string][] = [];
      await database.transaction(async () => {
        database.afterCommit(() => {
          throw new RangeError('too late');
        });
        database.afterCommit(() => found.push([database.isInTransaction, 'outer']));
        await database.transaction(async () => {
          database.afterCommit(() => found.push([database.isInTransaction, 'inner']));
        });
        expect(found).toEqual([]);
      });
      expect(found).toEqual([
        [false, 'outer'],
        [false, 'inner'],
      ]);
      const undone = database.transaction(async () => {
        database.afterCommit(() => found.push([false, 'undone']));
        throw new RangeError('changed my mind');
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(found).toHaveLength(2);
      expect(() => database.afterCommit(() => {})).toThrow('no transaction');
    });

    it('reads ahead once before each transaction, outside of it', async () => {
      const found: boolean[] = [];
      database.beforeTransactions(async () => void found.push(database.isInTransaction));
      await database.transaction(() => database.transaction(() => insert('a')));
      expect(found).toEqual([false]);
    });

    it('knows whether it is inside a transaction', async () => {
      expect(database.isInTransaction).toBe(false);
      expect(await database.transaction(async () => database.isInTransaction)).toBe(true);
      expect(database.isInTransaction).toBe(false);
    });

    it('runs 16 transactions at once without mixing them', async () => {
      const names = Array.from({ length: 16 }, (_, index) => `user-${String(index).padStart(2, '0')}`);
      const outcomes = await Promise.allSettled(
        names.map((name, index) =>
          database.transaction(async () => {
            await insert(name);
            if (index % 2 === 1) throw new Error('odd');
          }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
      expect(await ids()).toEqual(names.filter((_, index) => index % 2 === 0));
    });

    it('runs a prepared query with other values each time, inside a transaction too', async () => {
      const between = database.prepare((query, above: string, below: string) =>
        query
          .selectFrom('users')
          .select('id')
          .where('roles', '=', 'user')
          .where('id', '<', below)
          .where('id', '>', above)
          .where('id', '!=', below)
          .orderBy('id'),
      );
      for (const id of ['a', 'b', 'c', 'd']) await insert(id);
      expect(await between('a', 'd')).toEqual([{ id: 'b' }, { id: 'c' }]);
      expect(await between('b', 'd')).toEqual([{ id: 'c' }]);
      expect(await between("' or 1=1", '~')).toHaveLength(4);
      const seenInside = database.transaction(async () => {
        await insert('bb');
        return between('a', 'c');
      });
      expect(await seenInside).toEqual([{ id: 'b' }, { id: 'bb' }]);
    });

    it('refuses a statement that comes after the end of its transaction, prepared or not', async () => {
      const rename = database.prepare((query, id: string) =>
        query.updateTable('users').set({ roles: 'admin' }).where('id', '=', id).returning('id'),
      );
      await insert('a');
      const late = await database.transaction(async () => {
        expect(await rename('a')).toEqual([{ id: 'a' }]);
        return [AsyncResource.bind(() => rename('a')), AsyncResource.bind(() => insert('b'))];
      });
      for (const run of late) await expect(run()).rejects.toThrow(/committed/);
      expect(await ids()).toEqual(['a']);
    });

    it('keeps large numbers and bytes as they are', async () => {
      await insert('a');
      const changes = { disabled_at: 2 ** 53 - 1, email_ciphertext: Buffer.from([0, 255, 0]) };
      await database.query.updateTable('users').set(changes).execute();
      const row = await database.query.selectFrom('users').selectAll().executeTakeFirstOrThrow();
      expect(row.disabled_at).toBe(2 ** 53 - 1);
      expect(Buffer.from(row.email_ciphertext)).toEqual(Buffer.from([0, 255, 0]));
    });

    it('sorts text by bytes', async () => {
      for (const id of ['b', 'B', 'a.', 'a-', 'a_', 'ä', 'a']) await insert(id);
      expect(await ids()).toEqual(['B', 'a', 'a-', 'a.', 'a_', 'b', 'ä']);
    });

    describe('migrations', () => {
      it('run once, by name', async () => {
        const migrator = new SchemaMigrator(database);
        expect(await migrator.pending()).toEqual([]);
        expect(await migrator.migrate()).toEqual([]);
      });

      it('leave nothing when one fails half-way, and run again afterwards', async () => {
        await testDatabase.remove();
        testDatabase = await TestDatabase.create(kind);
        database = await testDatabase.open();
        const migrator = new Migrator({
          db: database.query,
          provider: { getMigrations: async () => ({ '0001-initial': cutShort(initial(kind)) }) },
        });
        expect((await migrator.migrateToLatest()).error).toEqual(new Error('power cut'));
        const pending = await new SchemaMigrator(database).pending();
        expect(pending[0]).toBe('0001-initial');
        expect(await new SchemaMigrator(database).migrate()).toEqual(pending);
        await insert('a');
      });

      it('give every root key a row, primary the one that the oldest key of the system is under', async () => {
        await testDatabase.remove();
        testDatabase = await TestDatabase.create(kind);
        database = await testDatabase.open();
        const { query } = database;
        const provider = { getMigrations: async () => migrationsFor(kind) };
        await new Migrator({ db: query, provider }).migrateTo('0002-key-jobs');
        const key = { suite: 'XAES-256-GCM', version: 1, state: 'PRIMARY', wrapped: bytes } as const;
        const rows = [
          { id: 'k1', parent_id: 'old', owner_id: 'ada', purpose: 'user-kek', created_at: 1 },
          { id: 'k2', parent_id: 'new', owner_id: 'system', purpose: 'password-pepper', created_at: 2 },
          { id: 'k3', parent_id: 'k2', owner_id: 'system', purpose: 'token-signing', created_at: 3 },
        ];
        for (const row of rows)
          await query
            .insertInto('keys')
            .values({ ...key, ...row })
            .execute();
        await new SchemaMigrator(database).migrate();
        const roots = query
          .selectFrom('keys')
          .select(['id', 'owner_id', 'version', 'state', 'activated_at', 'wrapped'])
          .where('purpose', '=', 'root')
          .orderBy('version');
        const root = { owner_id: 'system', wrapped: null };
        expect(await roots.execute()).toEqual([
          { ...root, id: 'old', version: 1, state: 'DECRYPT_ONLY', activated_at: 1 },
          { ...root, id: 'new', version: 2, state: 'PRIMARY', activated_at: 2 },
        ]);
      });

      it('refuse a database of a newer release', async () => {
        const newer = new Migrator({
          db: database.query,
          provider: {
            getMigrations: async () => ({
              ...migrationsFor(kind),
              '9999-future': { up: async () => {} },
            }),
          },
        });
        await newer.migrateToLatest();
        const start = new SchemaMigrator(database).migrate();
        await expect(start).rejects.toThrow(StartError);
      });
    });
  });

  it('keeps the SQLite file and its write-ahead log to its owner', async () => {
    const testDatabase = await TestDatabase.create('sqlite');
    await testDatabase.openMigrated();
    const file = testDatabase.file;
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(file + suffix)).mode & 0o777).toBe(0o600);
    await testDatabase.remove();
  });
});

const bytes = Buffer.from([1]);

/** The migration, but for its last moment. */
function cutShort(migration: Migration): Migration {
  return {
    async up(db): Promise<void> {
      await migration.up(db);
      throw new Error('power cut');
    },
  };
}
