import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newEmail, PASSWORD } from '../support/accounts.js';
import { Build, type Running } from '../support/built-server.js';
import { type HttpsClient } from '../support/https-client.js';
import { environmentIn } from '../support/test-app.js';
import { forEachDatabaseKind, TestDatabase } from '../support/test-database.js';

const KILLS = 20;
const WRITERS = 8;
/** So many writes at least are acknowledged before each kill: a few of every kind. */
const ACKNOWLEDGED = 4 * WRITERS;
const MAX_DELAY_MS = 200;
const TIMEOUT_MS = 600_000;

/** What the server has acknowledged. */
interface Acknowledged {
  /** By name and version. */
  readonly versions: Map<string, string>;
  /** Names and versions whose data is destroyed. */
  readonly destroyed: Set<string>;
  /** Tokens by the id of a share that has not been revealed. */
  readonly shares: Map<string, string>;
  /** Ids of shares that were revealed, once and for all. */
  readonly revealed: Map<string, string>;
}

describe('a server that is killed at any moment while it writes', () => {
  let build: Build;
  beforeAll(async () => {
    build = await Build.create();
  });
  afterAll(() => build.remove());

  forEachDatabaseKind((kind) => {
    let database: TestDatabase;
    let directory: string;
    let server: Running;
    let client: HttpsClient;
    let environment: Record<string, string>;
    const credentials = { email: newEmail(), password: PASSWORD };
    beforeEach(async () => {
      database = await TestDatabase.create(kind);
      directory = await mkdtemp(join(tmpdir(), 'killed-writes-'));
      environment = {
        ...environmentIn(directory),
        LOG_LEVEL: 'info',
        DATABASE_URL: database.url,
        RATE_LIMIT_PER_MINUTE: '0',
        AUTH_RATE_LIMIT_PER_MINUTE: '0',
      };
      await start();
      await client.post('/v1/auth/register', credentials);
    });
    afterEach(async () => {
      client.close();
      await server.stop();
      await database.remove();
      await rm(directory, { recursive: true });
    });

    async function start(): Promise<void> {
      server = build.run('main.js', [], environment);
      client = await server.client(join(directory, 'certs'));
    }

    async function signIn(): Promise<string> {
      return (await client.post('/v1/auth/login', credentials)).string('accessToken');
    }

    /** Writes until the server is gone; what it acknowledged is noted. */
    async function write(token: string, name: string, known: Acknowledged): Promise<void> {
      for (let round = 0; ; round++) {
        const v = `${name} ${round} ${randomInt(2 ** 40)}`;
        const put = await client.request('PUT', `/v1/secrets/${name}`, { token, json: { data: { v } } });
        const version = `${name}?version=${String(put.members['version'])}`;
        known.versions.set(version, v);
        if (round % 2 === 1) {
          const json = { versions: [Number(put.members['version'])] };
          // From here on until it is acknowledged either is right.
          known.versions.delete(version);
          await client.request('POST', `/v1/secrets/${name}/destroy`, { token, json });
          known.destroyed.add(version);
        }
        const share = await client.post('/v1/shares', { data: { v } }, token);
        const [id, shareToken] = [share.string('id'), share.string('token')];
        if (round % 2 === 1) {
          known.shares.set(id, shareToken);
        } else {
          await client.post(`/v1/shares/${id}/reveal`, { token: shareToken });
          known.revealed.set(id, shareToken);
        }
      }
    }

    async function expectAllKept(known: Acknowledged): Promise<void> {
      const token = await signIn();
      for (const [version, v] of known.versions) {
        const read = await client.get(`/v1/secrets/${version}`, token);
        expect({ version, ...read.members }).toMatchObject({ data: { v } });
      }
      for (const version of known.destroyed) {
        const read = await client.get(`/v1/secrets/${version}`, token);
        expect({ version, state: read.members['state'] }).toEqual({ version, state: 'destroyed' });
      }
      for (const id of known.shares.keys()) {
        expect((await client.get(`/v1/shares/${id}`)).members['viewsLeft']).toBe(1);
      }
      for (const [id, shareToken] of known.revealed) {
        expect((await client.post(`/v1/shares/${id}/reveal`, { token: shareToken })).status).toBe(404);
      }
    }

    it(
      'loses nothing that it acknowledged, leaves no value without its key, and its log verifies',
      async () => {
        const known: Acknowledged = {
          versions: new Map(),
          destroyed: new Set(),
          shares: new Map(),
          revealed: new Map(),
        };
        for (let kill = 0; kill < KILLS; kill++) {
          const token = await signIn();
          const names = Array.from({ length: WRITERS }, (_, writer) => `kill.${kill}.writer.${writer}`);
          const writers = names.map((name) => write(token, name, known));
          const before = acknowledgements(known);
          while (acknowledgements(known) < before + ACKNOWLEDGED) await delay(5);
          await delay(randomInt(MAX_DELAY_MS));
          const gone = Promise.allSettled(writers);
          await server.kill();
          const outcomes = await gone;
          expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
          client.close();
          await start();
        }
        expect(known.versions.size).toBeGreaterThan(0);
        expect(known.destroyed.size).toBeGreaterThan(0);
        expect(known.revealed.size).toBeGreaterThan(0);
        await expectAllKept(known);
        await expectKeyForEachValue(database);
        const verify = build.run('cli/main.js', ['audit', 'verify'], environment);
        expect({ exitCode: await verify.exitCode(), output: verify.output }).toMatchObject({ exitCode: 0 });
      },
      TIMEOUT_MS,
    );
  });
});

function acknowledgements({ versions, destroyed, shares, revealed }: Acknowledged): number {
  return versions.size + destroyed.size + shares.size + revealed.size;
}

/** Every value that is not destroyed has a key that is not either, and every such key has a value. */
async function expectKeyForEachValue(database: TestDatabase): Promise<void> {
  const { query } = await database.open();
  const versions = await query
    .selectFrom('secret_versions')
    .select('key_id')
    .where('key_id', '!=', '')
    .execute();
  const shares = await query.selectFrom('shares').select('key_id').where('key_id', '!=', '').execute();
  const keys = await query
    .selectFrom('keys')
    .select('id')
    .where('purpose', 'in', ['secret', 'share'])
    .where('wrapped', 'is not', null)
    .execute();
  const used = [...versions, ...shares].map((row) => row.key_id);
  expect(used.toSorted()).toEqual(keys.map(({ id }) => id).toSorted());
}
