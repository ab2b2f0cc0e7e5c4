import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Database } from '../../src/database/database.js';
import { newAccount } from '../support/accounts.js';
import { Build } from '../support/built-server.js';
import { environmentIn } from '../support/test-app.js';
import { forEachDatabaseKind, TestDatabase } from '../support/test-database.js';

/** Kills the server from within, so that every kill lands where it should. */
const HOOK = new URL('refresh-kill.process.ts', import.meta.url).href;
const KILLS = 20;
const TIMEOUT_MS = 300_000;

describe('a server that is killed between the commit of a refresh and its reply', () => {
  forEachDatabaseKind((kind) => {
    let build: Build;
    let directory: string;
    let test: TestDatabase;
    let database: Database;
    beforeAll(async () => {
      build = await Build.create();
      directory = await mkdtemp(join(tmpdir(), 'refresh-kill-'));
      test = await TestDatabase.create(kind);
      database = await test.openMigrated();
    });
    afterAll(async () => {
      await test.remove();
      await rm(directory, { recursive: true });
      await build.remove();
    });

    function start() {
      return build.run('main.js', [], {
        ...environmentIn(directory),
        NODE_OPTIONS: `--import=${HOOK}`,
        LOG_LEVEL: 'info',
        DATABASE_URL: test.url,
        // A loaded machine may take longer to start than the ten seconds that a client usually has.
        REFRESH_GRACE_SECONDS: '60',
      });
    }

    async function countTokens(): Promise<{ used: number; unused: number }> {
      const rows = await database.query.selectFrom('refresh_tokens').select('used_at').execute();
      const used = rows.filter(({ used_at: usedAt }) => usedAt !== null).length;
      return { used, unused: rows.length - used };
    }

    it(
      `gives the client's retry the same successor, ${KILLS} times, and there is never a second branch`,
      async () => {
        let server = start();
        let client = await server.client(join(directory, 'certs'));
        let { refreshToken } = await newAccount(client);
        for (let kill = 0; kill < KILLS; kill++) {
          const answer = client.post('/v1/auth/refresh', { refreshToken }).catch(() => 'lost');
          await server.exitCode();
          expect(await answer).toBe('lost');
          expect(await countTokens()).toEqual({ used: kill + 1, unused: 1 });
          client.close();

          server = start();
          client = await server.client(join(directory, 'certs'));
          const retry = await client.post('/v1/auth/refresh', { refreshToken });
          expect({ status: retry.status, body: retry.text }).toMatchObject({ status: 200 });
          refreshToken = retry.string('refreshToken');
          expect((await client.get('/v1/users/me', retry.string('accessToken'))).status).toBe(200);
          expect(await countTokens()).toEqual({ used: kill + 1, unused: 1 });
        }
        client.close();
        await server.stop();
      },
      TIMEOUT_MS,
    );
  });
});
