import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Build } from '../support/built-server.js';
import { HttpsClient } from '../support/https-client.js';
import { environmentIn, newTestApp } from '../support/test-app.js';
import { newCa, writePair } from '../support/test-ca.js';

describe('the command certs', () => {
  let build: Build;
  let directory: string;
  let certs: string;
  let environment: Record<string, string>;
  beforeAll(async () => {
    build = await Build.create();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(build.directory, 'data-'));
    certs = join(directory, 'certs');
    environment = environmentIn(directory);
  });
  afterAll(() => build.remove());

  async function run(...args: string[]): Promise<{ code: unknown; output: string }> {
    const command = build.run(join('cli', 'main.js'), ['certs', ...args], environment);
    return { code: await command.exitCode(), output: command.output };
  }

  const read = (name: string) => readFile(join(certs, name), 'utf8');

  describe('client', () => {
    it('makes a certificate that lets its holder in, with a key that nobody else can read', async () => {
      const { code, output } = await run('client', 'billing');
      expect({ code, output }).toMatchObject({
        code: 0,
        output: expect.stringMatching(/curl --cacert \S+ca\.pem --cert \S+client-billing\.pem --key /),
      });
      expect((await stat(join(certs, 'client-billing.key'))).mode & 0o777).toBe(0o600);
      const identity = { cert: await read('client-billing.pem'), key: await read('client-billing.key') };
      const app = await newTestApp({
        environment: {
          ...environment,
          TLS_CLIENT_AUTH: 'required',
          TLS_CLIENT_CA_FILE: join(certs, 'ca.pem'),
        },
      });
      await expect(app.get('/health/live')).rejects.toHaveProperty('code');
      const client = new HttpsClient(app.url, app.ca, identity);
      expect((await client.get('/health/live')).status).toBe(200);
      client.close();
      await app.close();
    });

    it('keeps the key when it makes a new certificate', async () => {
      await run('client', 'billing');
      const [cert, key] = [await read('client-billing.pem'), await read('client-billing.key')];
      expect((await run('client', 'billing')).code).toBe(0);
      expect(await read('client-billing.key')).toBe(key);
      expect(await read('client-billing.pem')).not.toBe(cert);
    });

    it.each(['../x', ''])('refuses the name %j', async (name) => {
      const { code, output } = await run('client', '--', name);
      expect({ code, output }).toEqual({
        code: 1,
        output: expect.stringMatching(/^the name of a client must be .*\n$/),
      });
    });
  });

  describe('inspect', () => {
    it('shows every certificate of the server, and that a start takes them', async () => {
      await run('renew');
      const { code, output } = await run('inspect');
      const { serialNumber, fingerprint256 } = new X509Certificate(await read('server.pem'));
      expect(code).toBe(0);
      for (const text of [serialNumber, fingerprint256, 'DNS:localhost', '89 days left', 'ec prime256v1'])
        expect(output).toContain(text);
      expect(output.match(/^subject/gm)).toHaveLength(2);
      expect(output).toMatch(/^a start with NODE_ENV=development takes it$/m);
    });

    it('says why a start would refuse them, and exits with 1', async () => {
      const ca = await newCa();
      const files = await writePair(directory, [await ca.issue({ from: -9, to: -1 })]);
      environment = { ...environment, TLS_CERT_FILE: files.certFile, TLS_KEY_FILE: files.keyFile };
      const { code, output } = await run('inspect');
      expect(code).toBe(1);
      expect(output).toMatch(/^valid .*, expired$/m);
      expect(output).toMatch(/chain\.pem expired at .*; renew it\n$/);
    });

    it('shows the certificates of any file', async () => {
      const file = join(directory, 'ca.pem');
      await writeFile(file, (await newCa('CN=Client CA')).pem);
      expect(await run('inspect', file)).toMatchObject({
        code: 0,
        output: expect.stringMatching(/^subject {6}CN=Client CA\n/),
      });
      expect((await run('inspect', join(directory, 'absent.pem'))).output).toMatch(/does not exist/);
    });
  });

  describe('renew', () => {
    it('makes a new certificate for the same key, under the same CA', async () => {
      await run('renew');
      const before = {
        ca: await read('ca.pem'),
        key: await read('server.key'),
        cert: await read('server.pem'),
      };
      expect((await run('renew')).code).toBe(0);
      expect(await read('server.pem')).not.toBe(before.cert);
      expect({ ca: await read('ca.pem'), key: await read('server.key') }).toEqual({
        ca: before.ca,
        key: before.key,
      });
    });

    it('leaves certificates that it did not make alone', async () => {
      const { certFile, keyFile } = await writePair(directory, [await (await newCa()).issue()]);
      environment = { ...environment, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
      expect(await run('renew')).toEqual({
        code: 1,
        output: `${certFile} is yours to renew: this command makes development certificates only\n`,
      });
    });
  });

  describe('export-ca', () => {
    it('prints the CA alone on standard output, and how everything comes to trust it beside it', async () => {
      const command = build.run(join('cli', 'main.js'), ['certs', 'export-ca'], environment);
      expect(await command.exitCode()).toBe(0);
      const pem = await read('ca.pem');
      expect(command.standardOutput).toBe(pem);
      for (const client of ['Linux', 'macOS', 'Windows', 'Firefox', 'Node.js'])
        expect(command.output.replace(pem, '')).toContain(client);
    });

    it('writes the CA to a file, and never a key', async () => {
      const out = join(directory, 'exported.pem');
      expect((await run('export-ca', '--out', out)).code).toBe(0);
      expect(await readFile(out, 'utf8')).toBe(await read('ca.pem'));
    });
  });

  it.each(['', 'certs', join('certs', 'ca.key'), join('certs', 'ca.pem'), join('absent', 'ca.pem')])(
    'export-ca writes no file over another, and none where it cannot: %j',
    async (name) => {
      await run('renew');
      const key = await read('ca.key');
      const out = name === '' ? '' : join(directory, name);
      expect(await run('export-ca', '--out', out)).toEqual({
        code: 1,
        output: `${out} cannot be written, or is there already\n`,
      });
      expect(await read('ca.key')).toBe(key);
      expect((await stat(join(certs, 'ca.key'))).mode & 0o777).toBe(0o600);
    },
  );

  it.each<[string[]]>([
    [['inspect', 'a', 'b']],
    [['renew', 'x']],
    [['client']],
    [['client', 'a b']],
    [['client', 'a\nb']],
    [['client', '..']],
    [['client', 'ä']],
    [['client', 'x'.repeat(41)]],
    [['export-ca', '--out']],
    [['export-ca', 'x']],
    [['frob']],
  ])('refuses what it does not know in one line and makes nothing: %j', async (args) => {
    const { code, output } = await run(...args);
    expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^[^\n]+\n$/) });
    expect(await readdir(directory)).toEqual([]);
  });

  it.each(['renew', 'client', 'export-ca'])(
    'says in one line that its directory is a file: %s',
    async (name) => {
      await writeFile(certs, 'a file');
      const { code, output } = await run(name, ...(name === 'client' ? ['billing'] : []));
      expect({ code, output }).toEqual({
        code: 1,
        output: expect.stringMatching(
          /^cannot make development certificates in [^\n]+certs \(EEXIST\)[^\n]+\n$/,
        ),
      });
      expect(await readFile(certs, 'utf8')).toBe('a file');
    },
  );

  it.each([['client', 'billing'], ['renew'], ['export-ca']])(
    'makes nothing for development in production: %s %s',
    async (...args) => {
      const files = { TLS_CERT_FILE: 'a', TLS_KEY_FILE: 'b', ROOT_KEY_FILE: 'c' };
      environment = { ...environment, NODE_ENV: 'production', ...files };
      expect(await run(...args)).toEqual({
        code: 1,
        output: 'the development CA is not for NODE_ENV=production\n',
      });
      expect(await readdir(directory)).toEqual([]);
    },
  );
});
