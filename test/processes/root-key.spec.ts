import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newAccount } from '../support/accounts.js';
import { Build } from '../support/built-server.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type TestApp } from '../support/test-app.js';

/** A test starts up to nine processes and instances, one after the other, each of them 1 s of computing. */
const TIMEOUT_MS = 120_000;

describe('the root key of a running server', () => {
  let build: Build;
  beforeAll(async () => {
    build = await Build.create();
  });
  afterAll(() => build.remove());

  /** Runs a command as the operator does, beside the server. Nothing that it writes may hold a key. */
  async function root(
    command: string,
    environment: Readonly<Record<string, string>>,
    keys: readonly string[] = [],
  ): Promise<string> {
    const running = build.run(join('cli', 'main.js'), ['root', command], environment);
    const code = await running.exitCode();
    for (const key of keys) expect(running.output).not.toContain(key);
    return `${String(code)} ${running.output}`;
  }

  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    it(
      'changes without a restart, while accounts are made and read before and after',
      async () => {
        const { environment } = app;
        const file = join(environment['DATA_DIR'] ?? '', 'root.key');
        const before = await newAccount(app);
        const keys = await spellingsOf(file);

        expect(await root('stage', environment, keys)).toMatch(
          /^0 staged root key [0-9a-f]{16} in .*root\.key\.next\n$/,
        );
        keys.push(...(await spellingsOf(`${file}.next`)));
        const between = await newAccount(app);
        expect(await root('complete', environment, keys)).toMatch(/^1 root key [0-9a-f]{16} is staged/);

        expect(await root('promote', environment, keys)).toMatch(
          /^0 promoted root key [0-9a-f]{16}, re-wrapped \d+ keys\n$/,
        );
        const after = await newAccount(app);
        const fresh = await app.newInstance();
        for (const account of [before, between, after]) {
          for (const instance of [app, fresh]) {
            expect((await instance.get('/v1/users/me', account.token)).members).toMatchObject({
              email: account.email,
            });
          }
        }
        await fresh.close();

        expect(await root('complete', environment, keys)).toBe(`0 completed: removed ${file}.previous\n`);
        expect(await root('complete', environment, keys)).toBe('0 there is no previous root key\n');
        const last = await newAccount(app);
        const restarted = await app.newInstance();
        for (const account of [before, between, after, last]) {
          expect((await restarted.get('/v1/users/me', account.token)).status).toBe(200);
        }
        await restarted.close();
      },
      TIMEOUT_MS,
    );

    it(
      'moves into variables and from one value to the next',
      async () => {
        const file = join(app.environment['DATA_DIR'] ?? '', 'root.key');
        const [first = '', second = ''] = [1, 2].map(() => randomBytes(32).toString('base64url'));
        const account = await newAccount(app);
        const steps = [
          { ROOT_KEY: first, ROOT_KEY_PREVIOUS_FILE: file },
          { ROOT_KEY: second, ROOT_KEY_PREVIOUS: first },
        ];
        for (const step of steps) {
          const environment = { ...app.environment, ...step };
          const instance = await app.newInstance(step);
          expect(await root('promote', environment, [first, second])).toMatch(/promoted root key/);
          expect((await instance.get('/v1/users/me', account.token)).status).toBe(200);
          await newAccount(instance);
          expect(await root('complete', environment, [first, second])).toMatch(
            /^0 completed: (removed .*root\.key|unset ROOT_KEY_PREVIOUS and restart every instance)\n$/,
          );
          await instance.close();
        }
        const environment = { ...app.environment, ROOT_KEY: second };
        expect(await root('stage', environment, [first, second])).toContain(
          "openssl rand -base64 32 | tr '+/' '-_'",
        );
        expect(await root('promote', environment, [second])).toMatch(/^1 there is no other root key/);
        const wrong = await root('promote', { ...app.environment, ROOT_KEY: first }, [first, second]);
        expect(wrong).toMatch(
          /^1 ROOT_KEY holds root key [0-9a-f]{16}, but the database needs [0-9a-f]{16}: .*\n$/,
        );
      },
      TIMEOUT_MS,
    );
  });
});

async function spellingsOf(file: string): Promise<string[]> {
  const raw = await readFile(file);
  return (['hex', 'base64', 'base64url', 'latin1'] as const).map((encoding) => raw.toString(encoding));
}
