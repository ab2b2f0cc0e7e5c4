import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createApp } from '../../src/app.setup.js';
import { StartError } from '../../src/common/start-error.js';
import { newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type CertificateFiles, writeProductionCertificate } from '../support/production-certificate.js';
import { environmentIn, newTestApp, type TestApp } from '../support/test-app.js';

const LOCKED_LIMIT_MS = 20_000;

/** The one line that an operator would see. */
async function refusalOf(start: Promise<unknown>): Promise<string> {
  const error: unknown = await start.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StartError);
  return (error as StartError).message;
}

describe('a start is refused', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'start-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('in production without its settings, naming every one at once and making no file', async () => {
    const message = await refusalOf(
      createApp({ ...environmentIn(directory), NODE_ENV: 'production', ISSUER_URL: '' }),
    );
    for (const name of ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'ROOT_KEY_FILE', 'ISSUER_URL'])
      expect(message).toContain(name);
    expect(await readdir(directory)).toEqual([]);
  });

  it('for every bad variable at once', async () => {
    const environment = {
      ...environmentIn(directory),
      PORT: '70000',
      LOG_LEVEL: 'loud',
      ACCESS_TOKEN_TTL: '5m',
    };
    const message = await refusalOf(createApp(environment));
    for (const name of ['PORT', 'LOG_LEVEL', 'ACCESS_TOKEN_TTL']) expect(message).toContain(name);
  });

  it.each([
    ['without its certificate', 'absent.pem', 'server.key', /absent\.pem does not exist/],
    ['with a certificate that is none', 'root.txt', 'server.key', /root\.txt holds no PEM certificate/],
    [
      'with the key of another certificate',
      'server.pem',
      'ca.key',
      /server\.pem is in the wrong order|ca\.key/,
    ],
    ['without its private key', 'server.pem', 'absent.key', /absent\.key does not exist/],
  ])('%s', async (_claim, certFile, keyFile, expected) => {
    const certs = join(directory, 'certs');
    await (await createApp(environmentIn(directory))).nest.close();
    await writeFile(join(certs, 'root.txt'), 'no certificate');
    const files = { TLS_CERT_FILE: join(certs, certFile), TLS_KEY_FILE: join(certs, keyFile) };
    expect(await refusalOf(createApp({ ...environmentIn(directory), ...files }))).toMatch(expected);
  });

  it('in production with the certificate of the development CA', async () => {
    await (await createApp(environmentIn(directory))).nest.close();
    const certs = join(directory, 'certs');
    const environment = {
      ...environmentIn(directory),
      NODE_ENV: 'production',
      TLS_CERT_FILE: join(certs, 'server.pem'),
      TLS_KEY_FILE: join(certs, 'server.key'),
      ROOT_KEY_FILE: join(directory, 'data', 'root.key'),
    };
    expect(await refusalOf(createApp(environment))).toMatch(/server\.pem is from a development CA/);
  });

  it('without the list of passwords that PASSWORD_LIST_FILE names', async () => {
    const environment = { ...environmentIn(directory), PASSWORD_LIST_FILE: join(directory, 'absent.bin') };
    expect(await refusalOf(createApp(environment))).toMatch(/^PASSWORD_LIST_FILE names .*absent\.bin/);
  });

  describe('by what is wrong with the SQLite file:', () => {
    let file: string;
    beforeEach(async () => {
      const app = await newTestApp({ environment: { DATA_DIR: join(directory, 'data') } });
      await newAccount(app);
      await app.close(); // Closing moves the write-ahead log into the file.
      file = join(directory, 'data', 'app.db');
    });

    async function overwrite(position: number, length: number): Promise<void> {
      const handle = await open(file, 'r+');
      await handle.write(Buffer.alloc(length, 0xa5), 0, length, position);
      await handle.close();
    }

    it.each<[string, () => Promise<void>]>([
      ['its header is overwritten', () => overwrite(0, 100)],
      ['its second page is overwritten', () => overwrite(4_096, 4_096)],
      ['pages in its middle are overwritten', async () => overwrite(4_096 * 8, (await stat(file)).size / 2)],
      ['it is cut short', async () => truncate(file, (await stat(file)).size / 2)],
      ['it is another kind of file', () => writeFile(file, 'no database at all, but long enough to look at')],
    ])('%s', async (_claim, damage) => {
      await damage();
      const message = await refusalOf(createApp(environmentIn(directory)));
      expect(message).toMatch(/app\.db is damaged or not a SQLite database: restore it from a backup/);
    });

    it('what it names is no file, whose mode nobody changes', async () => {
      const pipe = join(directory, 'pipe');
      execFileSync('/usr/bin/mkfifo', ['-m', '666', pipe]);
      const environment = { ...environmentIn(directory), DATABASE_URL: `sqlite:${pipe}` };
      const refusal = `database ${pipe} is no regular file: correct DATABASE_URL`;
      expect(await refusalOf(createApp(environment))).toBe(refusal);
      expect((await stat(pipe)).mode & 0o777).toBe(0o666);
    });

    it('its write-ahead log cannot be opened, without saying that it is damaged', async () => {
      await mkdir(`${file}-wal`);
      expect(await refusalOf(createApp(environmentIn(directory)))).toBe(
        `database ${file} cannot be opened (SQLITE_CANTOPEN): check the permissions of the file, its directory and its -wal and -shm`,
      );
    });

    it(
      'another process keeps it locked',
      async () => {
        const other = new DatabaseSync(file);
        other.exec('pragma locking_mode = exclusive; begin exclusive');
        const message = await refusalOf(createApp(environmentIn(directory)));
        other.close();
        expect(message).toBe(`database ${file} is locked by another process: stop that`);
      },
      LOCKED_LIMIT_MS,
    );

    it.each([':memory:', 'file:app.db?mode=memory'])('its name is of none: %s', async (name) => {
      const environment = { ...environmentIn(directory), DATABASE_URL: `sqlite:${name}` };
      expect(await refusalOf(createApp(environment))).toContain('DATABASE_URL must be sqlite:<path>');
    });
  });

  it('in production without a SQLite file, which is not made', async () => {
    const data = join(directory, 'data');
    await mkdir(data);
    const rootKey = join(data, 'root.key');
    await writeFile(rootKey, Buffer.alloc(32, 7), { mode: 0o600 });
    const environment = {
      ...environmentIn(directory),
      NODE_ENV: 'production',
      ROOT_KEY_FILE: rootKey,
      ...(await writeProductionCertificate(join(directory, 'production'))),
    };
    for (const file of [join(data, 'app.db'), join(directory, 'absent', 'app.db')]) {
      expect(await refusalOf(createApp({ ...environment, DATABASE_URL: `sqlite:${file}` }))).toBe(
        `database ${file} does not exist: correct DATABASE_URL, or run \`npm run cli -- db migrate\``,
      );
    }
    const empty = join(data, 'empty.db');
    await writeFile(empty, '');
    expect(await refusalOf(createApp({ ...environment, DATABASE_URL: `sqlite:${empty}` }))).toContain(
      'the database lacks 0001-initial',
    );
    expect(await readdir(data)).toEqual(['empty.db', 'root.key']);
    expect(await readdir(directory)).not.toContain('absent');
  });

  forEachDatabase((newApp) => {
    let app: TestApp;
    let rootKey: string;
    let certificate: CertificateFiles;
    beforeAll(async () => {
      app = await newApp();
      await newAccount(app);
      rootKey = join(app.environment['DATA_DIR'] ?? '', 'root.key');
      certificate = await writeProductionCertificate(join(app.environment['DATA_DIR'] ?? '', 'production'));
    });
    afterAll(() => app.close());

    function inProduction(): Record<string, string> {
      return {
        NODE_ENV: 'production',
        ROOT_KEY_FILE: rootKey,
        CERTS_DIR: join(app.environment['DATA_DIR'] ?? '', 'production'),
        ...certificate,
      };
    }

    it('when the root key of its data is missing, naming its id, and makes no new one', async () => {
      await rename(rootKey, `${rootKey}.away`);
      const message = await refusalOf(app.newInstance());
      expect(message).toMatch(/root\.key is missing and the database needs root key [0-9a-f]{16}: restore/);
      expect(await readdir(app.environment['DATA_DIR'] ?? '')).not.toContain('root.key');
      await rename(`${rootKey}.away`, rootKey);
    });

    it('when its root key is another one, naming both by their ids', async () => {
      const other = `${rootKey}.other`;
      await writeFile(other, randomBytes(32), { mode: 0o600 });
      const message = await refusalOf(app.newInstance({ ROOT_KEY_FILE: other }));
      const ids = /holds root key ([0-9a-f]{16}), but the database needs ([0-9a-f]{16})/.exec(message);
      expect(ids?.[1]).not.toBe(ids?.[2]);
      expect(ids).toHaveLength(3);
    });

    it('when its root key is another one than at its first start, though nothing was encrypted since', async () => {
      const untouched = await newApp();
      try {
        await untouched.nest.close();
        const file = join(untouched.environment['DATA_DIR'] ?? '', 'root.key');
        await writeFile(file, randomBytes(32));
        expect(await refusalOf(untouched.newInstance())).toMatch(
          /holds root key \w+, but the database needs \w+/,
        );
        await rm(file);
        expect(await refusalOf(untouched.newInstance())).toContain(
          'root.key is missing and the database needs',
        );
      } finally {
        await untouched.close();
      }
    });

    it('when others may read its root key, or it has another length', async () => {
      const copy = `${rootKey}.copy`;
      await copyFile(rootKey, copy);
      await chmod(copy, 0o644);
      expect(await refusalOf(app.newInstance({ ROOT_KEY_FILE: copy }))).toContain('has mode 644, want 600');
      await chmod(copy, 0o600);
      await (await app.newInstance({ ROOT_KEY_FILE: copy })).close();
      await truncate(copy, 31);
      expect(await refusalOf(app.newInstance({ ROOT_KEY_FILE: copy }))).toContain('is 31 bytes, want 32');
    });

    it('in production before the database is migrated, naming the command', async () => {
      const message = await refusalOf(newApp({ environment: inProduction() }));
      expect(message).toMatch(
        /^(the database lacks 0001-initial(, \d{4}-[a-z-]+)+: |database .+ does not exist: .+, or )run `npm run cli -- db migrate`/,
      );
    });

    it('no more, once everything is there: production serves, and keeps its pages for developers shut', async () => {
      const production = await app.newInstance(inProduction());
      const ready = await production.get('/health/ready');
      expect(ready.status).toBe(200);
      expect(ready.headers['strict-transport-security']).toBe('max-age=63072000; includeSubDomains');
      for (const path of ['/', '/docs', '/openapi.json'])
        expect((await production.get(path)).status).toBe(404);
      await production.close();
    });
  });
});

describe('a start closes to others', () => {
  it('the SQLite file that a copy left open, and what is beside it', async () => {
    const app = await newTestApp();
    const file = join(app.environment['DATA_DIR'] ?? '', 'app.db');
    await Promise.all(['', '-wal', '-shm'].map((suffix) => chmod(`${file}${suffix}`, 0o664)));
    await (await app.newInstance()).close();
    for (const suffix of ['', '-wal', '-shm'])
      expect((await stat(`${file}${suffix}`)).mode & 0o777).toBe(0o600);
    await app.close();
  });
});
