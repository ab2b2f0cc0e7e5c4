import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Kysely, sql } from 'kysely';
import { SqliteFile } from './sqlite-file.js';

describe('SqliteFile', () => {
  let directory: string;
  let file: SqliteFile;
  let kysely: Kysely<{ t: { id: number; v: string } }>;
  let other: DatabaseSync;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sqlite-file-'));
    const path = join(directory, 'a.db');
    file = new SqliteFile(path);
    kysely = new Kysely({ dialect: file.dialect() });
    await sql`create table t (id integer primary key, v text)`.execute(kysely);
    other = new DatabaseSync(path);
    await nextTurn();
  });
  afterEach(async () => {
    other.close();
    await kysely.destroy();
    rmSync(directory, { recursive: true });
  });

  const ids = () => file.read('select id from t order by id', []).map((row) => (row as { id: number }).id);
  const insertElsewhere = (id: number) => other.prepare('insert into t values (?, null)').run(id);

  it('reads one snapshot within a turn of the event loop and a new one in the next', async () => {
    expect(ids()).toEqual([]);
    insertElsewhere(1);
    expect(ids()).toEqual([]);
    await nextTurn();
    expect(ids()).toEqual([1]);
  });

  it('sees what this process has committed as soon as the writer is told, in whichever turn', async () => {
    for (let id = 1; id <= 50; id++) {
      const written = kysely.insertInto('t').values({ id, v: '' }).execute();
      expect(ids()).not.toContain(id);
      await written;
      expect(ids()).toContain(id);
    }
  });

  it('goes on reading after a read that failed', async () => {
    expect(() => file.read('select missing from t', [])).toThrow('no such column');
    insertElsewhere(1);
    await nextTurn();
    expect(ids()).toEqual([1]);
  });

  it('lets the write-ahead log be reset though every turn reads', async () => {
    const v = 'x'.repeat(100_000);
    for (let id = 1; id <= 200; id++) {
      ids();
      const written = kysely.insertInto('t').values({ id, v }).execute();
      ids();
      await written;
    }
    // 20 MB were written; a checkpoint is due every 1000 pages, which are 4 MB.
    expect(statSync(join(directory, 'a.db-wal')).size).toBeLessThan(8_000_000);
  });
});
