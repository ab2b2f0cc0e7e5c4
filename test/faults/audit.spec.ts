import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditVerifier } from '../../src/audit/audit-verifier.js';
import { type Account, newAccount } from '../support/accounts.js';
import { Build } from '../support/built-server.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const WORKER = fileURLToPath(new URL('audit.process.ts', import.meta.url));
const KILLS = 20;
const MAX_DELAY_MS = 400;
const TIMEOUT_MS = 300_000;

interface Acknowledged {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
}

describe('a server that is killed while it writes and reads secrets', () => {
  let build: Build;
  beforeAll(async () => {
    build = await Build.create();
  });
  afterAll(() => build.remove());

  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeEach(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterEach(() => app.close());

    /** What it had acknowledged when it died, at any moment. */
    async function killAtAnyMoment(): Promise<Acknowledged[]> {
      const { NODE_OPTIONS: _jest, ...inherited } = process.env;
      const worker = spawn(process.execPath, [WORKER, build.directory, owner.id], {
        env: { ...inherited, ...app.environment },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(worker, 'exit');
      const output = text(worker.stdout);
      await Promise.race([once(worker.stdout, 'data'), exited]);
      await delay(randomInt(MAX_DELAY_MS));
      expect(worker.exitCode).toBeNull();
      worker.kill('SIGKILL');
      await exited;
      const lines = (await output).split('\n').filter((line) => /^(write|read) /.test(line));
      return lines.map((line) => {
        const [kind = '', name = '', version] = line.split(' ');
        return { kind, name, version: Number(version) };
      });
    }

    async function recorded(action: string): Promise<Set<string | null>> {
      const rows = await databaseOf(app)
        .query.selectFrom('audit_events')
        .select('target')
        .where('action', '=', action)
        .execute();
      return new Set(rows.map(({ target }) => target));
    }

    async function versionsWithoutKey(): Promise<unknown[]> {
      return databaseOf(app)
        .query.selectFrom('secret_versions')
        .leftJoin('keys', 'keys.id', 'secret_versions.key_id')
        .select('secret_versions.key_id')
        .where('keys.wrapped', 'is', null)
        .execute();
    }

    it(
      `loses nothing that it acknowledged in ${KILLS} kills, and the audit log verifies after each`,
      async () => {
        let acknowledgedCount = 0;
        for (let kill = 0; kill < KILLS; kill++) {
          const acknowledged = await killAtAnyMoment();
          acknowledgedCount += acknowledged.length;
          const verified = await app.nest.get(AuditVerifier, { strict: false }).verify();
          expect(verified).toBeGreaterThanOrEqual(acknowledgedCount);
          const [writes, reads] = [await recorded('secret.write'), await recorded('secret.read')];
          for (const { kind, name, version } of acknowledged) {
            expect(kind === 'write' ? writes : reads).toContain(`secret:${name}#${version}`);
            const read = await app.get(`/v1/secrets/${name}?version=${version}`, owner.token);
            expect(read.members).toMatchObject({ data: { of: `${name} ${version}` } });
          }
          expect(await versionsWithoutKey()).toEqual([]);
        }
        expect(acknowledgedCount).toBeGreaterThan(KILLS);
      },
      TIMEOUT_MS,
    );
  });
});
