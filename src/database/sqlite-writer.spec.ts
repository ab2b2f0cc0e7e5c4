import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DatabaseUnavailableError } from './errors.js';
import { SqliteWriter } from './sqlite-writer.js';

describe('SqliteWriter', () => {
  let directory: string;
  let handle: DatabaseSync;
  let other: DatabaseSync;
  let writer: SqliteWriter;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'writer-'));
    handle = new DatabaseSync(join(directory, 'a.db'));
    handle.exec(
      'pragma journal_mode = wal; pragma synchronous = full; create table t (id integer primary key, v blob)',
    );
    other = new DatabaseSync(join(directory, 'a.db'), { readOnly: true });
    writer = new SqliteWriter(handle, () => {});
  });
  afterEach(async () => {
    other.close();
    await writer.close();
    rmSync(directory, { recursive: true });
  });

  const insert = (id: number, bytes = 1) =>
    writer.execute('insert into t values (?, zeroblob(?))', [id, bytes]);
  const insertAlone = (id: number) => writer.executeAlone('insert into t values (?, null)', [id]);
  const committed = () =>
    other
      .prepare('select id from t order by id')
      .all()
      .map(({ id }) => id);

  async function transaction(work: () => unknown): Promise<void> {
    await writer.begin();
    try {
      await work();
    } catch (error) {
      writer.rollback();
      throw error;
    }
    await writer.commit();
  }

  /** How often SQLite was told to commit meanwhile. */
  function commits(work: () => Promise<unknown>): Promise<number> {
    let count = 0;
    const prepare = handle.prepare.bind(handle);
    handle.prepare = (sql: string) => {
      if (sql !== 'commit') return prepare(sql);
      const statement = prepare(sql);
      const run = statement.run.bind(statement);
      statement.run = () => {
        count++;
        return run();
      };
      return statement;
    };
    return work().then(() => count);
  }

  it('commits once for all that end in the same turn of the event loop', async () => {
    const ids = Array.from({ length: 16 }, (_, index) => index);
    const all = () =>
      Promise.all(ids.map((id) => (id % 2 === 0 ? transaction(() => insert(id)) : insertAlone(id))));
    expect(await commits(all)).toBe(1);
    expect(committed()).toEqual(ids);
  });

  it('tells nobody of a commit before another connection sees it', async () => {
    await Promise.all(
      [1, 2, 3].map(async (id) => {
        await transaction(() => insert(id));
        expect(committed()).toContain(id);
      }),
    );
  });

  it('undoes one transaction of a group and keeps the others', async () => {
    const outcomes = await Promise.allSettled([
      transaction(() => insert(1)),
      transaction(() => {
        insert(2);
        throw new Error('changed my mind');
      }),
      transaction(() => insert(1)),
      insertAlone(1),
      insertAlone(3),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(committed()).toEqual([1, 3]);
  });

  it('fails the group that a full disk has no room for, and goes on with the next', async () => {
    handle.exec('pragma max_page_count = 10');
    const outcomes = await Promise.allSettled([
      transaction(() => insert(1)),
      transaction(() => insert(2, 1_000_000)),
      transaction(() => insert(3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    for (const outcome of outcomes.slice(0, 2))
      expect(outcome).toMatchObject({ reason: expect.any(DatabaseUnavailableError) });
    handle.exec('pragma max_page_count = 100000');
    await transaction(() => insert(4, 1_000_000));
    expect(committed()).toEqual([3, 4]);
  });

  it('fails everyone of a group whose commit fails, and serves the next one', async () => {
    const outcomes = Promise.allSettled([
      transaction(() => insert(1)),
      insertAlone(2),
      // What some errors do by themselves.
      transaction(() => handle.exec('rollback')),
    ]);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(committed()).toEqual([]);
    await transaction(() => insert(3));
    expect(committed()).toEqual([3]);
  });

  it('waits for the transaction of another process, and everything else goes on', async () => {
    const rival = new DatabaseSync(join(directory, 'a.db'));
    rival.exec('begin immediate');
    const waiting = transaction(() => insert(1));
    await new Promise(setImmediate);
    expect(committed()).toEqual([]);
    rival.exec('commit');
    rival.close();
    await waiting;
    expect(committed()).toEqual([1]);
  });

  it('lets no statement escape a transaction that was undone', async () => {
    const escaping = transaction(() => {
      handle.exec('rollback');
      insert(1);
    });
    await expect(escaping).rejects.toThrow(DatabaseUnavailableError);
    expect(committed()).toEqual([]);
  });
});
