import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StartError } from '../../src/common/start-error.js';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const EVENTS = 3;

describe('checkpoints of the audit log', () => {
  forEachDatabase((newApp) => {
    let directory: string;
    let app: TestApp;
    let ada: Account;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'checkpoints-'));
      app = await newApp({
        environment: {
          AUDIT_CHECKPOINT_EVENTS: String(EVENTS),
          AUDIT_CHECKPOINT_FILE: join(directory, 'checkpoints'),
        },
      });
      ada = await newAccount(app);
      await app.request('PUT', '/v1/secrets/name', { token: ada.token, json: { data: { key: 'value' } } });
    });
    afterAll(async () => {
      await app.close();
      await rm(directory, { recursive: true });
    });

    const readSecret = (from = app) => from.get('/v1/secrets/name', ada.token);

    /** The numbers of the events that were signed, in the order in which they left the machine. */
    function signed(file = 'checkpoints'): number[] {
      const lines = readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => (JSON.parse(line) as { seq: number }).seq);
    }

    async function lastSeq(): Promise<number> {
      const { seq } = await databaseOf(app)
        .query.selectFrom('audit_head')
        .select('seq')
        .executeTakeFirstOrThrow();
      return seq;
    }

    it.each([
      ['events that are recorded alone', () => readSecret()],
      [
        'events of transactions',
        () =>
          app.request('PATCH', '/v1/secrets/name/metadata', {
            token: ada.token,
            json: { n: '1' },
            headers: { 'content-type': 'application/merge-patch+json' },
          }),
      ],
    ])('are made after so many %s', async (_claim, record) => {
      for (let round = 0; round < 2; round++) {
        const before = await lastSeq();
        for (let event = 0; event < EVENTS; event++) expect((await record()).status).toBe(200);
        await until(() => (signed().at(-1) ?? 0) > before);
        expect(await lastSeq()).toBe(before + EVENTS);
      }
    });

    it('hold the last event of a server that stops, of requests that were in flight too', async () => {
      const other = await app.newInstance({
        AUDIT_CHECKPOINT_EVENTS: '1000000',
        AUDIT_CHECKPOINT_FILE: join(directory, 'stopping'),
      });
      await readSecret(other);
      const reads = Array.from({ length: 32 }, () => readSecret(other).catch(() => undefined));
      await Promise.race(reads);
      await other.nest.close();
      const statuses = (await Promise.all(reads)).map((response) => response?.status);
      expect(statuses).toContain(200);
      expect(signed('stopping').at(-1)).toBe(await lastSeq());
      await other.close();
    });

    it('cannot go to a file in a directory that is not there: the server does not start', async () => {
      const start = app.newInstance({ AUDIT_CHECKPOINT_FILE: join(directory, 'missing', 'checkpoints') });
      await expect(start).rejects.toThrow(StartError);
      await expect(start).rejects.toThrow(/^AUDIT_CHECKPOINT_FILE .*missing.* \(ENOENT\)$/);
    });

    it('are answered with 503 while their file cannot be written, and sent later', async () => {
      const file = join(directory, 'moved');
      const other = await app.newInstance({
        AUDIT_CHECKPOINT_EVENTS: '1000000',
        AUDIT_CHECKPOINT_FILE: file,
      });
      const admin = await newAdmin(other);
      await rm(file);
      await mkdir(file);
      expectProblem(await other.get('/v1/audit/checkpoint', admin.token), 'ERR_UNAVAILABLE');
      await rm(file, { recursive: true });
      const { members } = await other.get('/v1/audit/checkpoint', admin.token);
      expect(signed('moved')).toContain(members['seq']);
      await other.close();
    });
  });
});
