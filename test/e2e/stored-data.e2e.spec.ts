import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { forEachDatabase } from '../support/for-each-database.js';
import { plainMarkers, secretMarkers, spellings, type Written, writeMarkers } from '../support/markers.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const redisUrl = process.env['TEST_REDIS_URL'];
const describeRedis = redisUrl === undefined ? describe.skip : describe;

describe('what the database holds', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let written: Written;
    beforeAll(async () => {
      app = await newApp();
      written = await writeMarkers(app, app.clock.nowMs());
    });
    afterAll(() => app.close());

    it('has none of the values that were written to be kept secret', async () => {
      const stored = await storedBytes(app);
      for (const [name, value] of Object.entries({ ...secretMarkers, ...written })) {
        const found = spellings(value).filter((spelling) => stored.includes(spelling));
        expect({ name, found }).toEqual({ name, found: [] });
      }
    });

    it('has what is documented as not encrypted, so the search would find the rest', async () => {
      const stored = await storedBytes(app);
      for (const [name, value] of Object.entries(plainMarkers)) {
        expect({ name, isFound: stored.includes(value) }).toEqual({ name, isFound: true });
      }
    });
  });
});

describeRedis('what Redis holds', () => {
  it('is counts of requests, and none of the values that were written to be kept secret', async () => {
    const limits = { RATE_LIMIT_PER_MINUTE: '10000', AUTH_RATE_LIMIT_PER_MINUTE: '10000' };
    const app = await newTestApp({ environment: { ...limits, REDIS_URL: redisUrl ?? '' } });
    const written = await writeMarkers(app, app.clock.nowMs());
    const stored = await dumpRedis(redisUrl ?? '');
    await app.close();
    expect(stored.includes('rate-limit:')).toBe(true);
    for (const [name, value] of Object.entries({ ...secretMarkers, ...plainMarkers, ...written })) {
      const found = spellings(value).filter((spelling) => stored.includes(spelling));
      expect({ name, found }).toEqual({ name, found: [] });
    }
  });
});

/** Every name, and every value as Redis itself would write it to its disk. */
async function dumpRedis(url: string): Promise<Buffer> {
  const redis = new Redis(url);
  try {
    const names = await redis.keys('*');
    const values = await Promise.all(names.map((name) => redis.dumpBuffer(name)));
    return Buffer.concat([Buffer.from(names.join('\n')), ...values.filter((value) => value !== null)]);
  } finally {
    redis.disconnect();
  }
}

/** Every byte of the SQLite files, write-ahead log included, or every column of every PostgreSQL table. */
async function storedBytes({ environment }: TestApp): Promise<Buffer> {
  const url = environment['DATABASE_URL'];
  if (url !== undefined) return dumpPostgres(url);
  const directory = environment['DATA_DIR'] ?? '';
  const names = (await readdir(directory)).filter((name) => name.startsWith('app.db'));
  expect(names.toSorted()).toEqual(['app.db', 'app.db-shm', 'app.db-wal']);
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(directory, name)))));
}

async function dumpPostgres(connectionString: string): Promise<Buffer> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'`,
    );
    const dumps: Buffer[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<Record<string, unknown>>(`select * from ${name}`);
      for (const value of rows.flatMap((row) => Object.values(row))) {
        dumps.push(Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)), Buffer.from('\n'));
      }
    }
    return Buffer.concat(dumps);
  } finally {
    await client.end();
  }
}
