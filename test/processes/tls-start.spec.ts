import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApp } from '../../src/app.setup.js';
import { StartError } from '../../src/common/start-error.js';
import { ensureDevelopmentCertificates } from '../../src/tls/development-certificates.js';
import { badPairs } from '../support/bad-pairs.js';
import { Build } from '../support/built-server.js';
import { environmentIn } from '../support/test-app.js';
import { newCa, type TestCertificate, writePair } from '../support/test-ca.js';

const PASSPHRASE = 'a passphrase of this test';

type Files = Readonly<Record<string, string>>;

describe('a production start', () => {
  let root: string;
  let ca: TestCertificate;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'tls-start-'));
    ca = await newCa();
  });
  afterAll(() => rm(root, { recursive: true }));

  async function newEnvironment(make: (directory: string) => Promise<Files>): Promise<Files> {
    const directory = await mkdtemp(join(root, 'data-'));
    const rootKey = { ROOT_KEY_FILE: join(directory, 'root.key') };
    return { ...environmentIn(directory), ...rootKey, NODE_ENV: 'production', ...(await make(directory)) };
  }

  it.each(badPairs)(
    'is refused with a certificate %s, in one line that names the file',
    async (_claim, reason, spoil) => {
      const environment = await newEnvironment(async (directory) => {
        const files = await pairOf(directory, await ca.issue());
        await spoil(directory, ca);
        return files;
      });
      expect(await refusal(environment)).toMatch(reason);
    },
  );

  it('is refused with the certificate that development makes', async () => {
    const environment = await newEnvironment(async (directory) => {
      const made = await ensureDevelopmentCertificates({ directory, now: new Date() });
      return { TLS_CERT_FILE: made.certFile, TLS_KEY_FILE: made.keyFile };
    });
    expect(await refusal(environment)).toMatch(/certificate .*server\.pem is from a development CA/);
  });

  it.each([
    [
      'another passphrase',
      { TLS_KEY_PASSPHRASE: `not ${PASSPHRASE}` },
      /private key .*key\.pem cannot be decrypted with TLS_KEY_PASSPHRASE/,
    ],
    [
      'a passphrase that is in no file',
      { TLS_KEY_PASSPHRASE_FILE: '/nonexistent/passphrase' },
      /passphrase .*passphrase does not exist; set TLS_KEY_PASSPHRASE_FILE/,
    ],
  ])('is refused with an encrypted key and %s', async (_claim, passphrase, reason) => {
    const environment = await newEnvironment(async (directory) => {
      const certificate = await ca.issue();
      const files = await pairOf(directory, certificate);
      await writeFile(join(directory, 'key.pem'), certificate.encryptedKey(PASSPHRASE));
      return { ...files, ...passphrase };
    });
    expect(await refusal(environment)).toMatch(reason);
  });

  it('that is refused ends with 1 and one line, without a word of the key', async () => {
    const build = await Build.create();
    const environment = await newEnvironment(async (directory) => {
      const files = await pairOf(directory, await ca.issue());
      await writeFile(join(directory, 'key.pem'), (await ca.issue()).key);
      return files;
    });
    const server = build.run('main.js', [], environment);
    expect(await server.exitCode()).toBe(1);
    expect(server.output).toMatch(/^cannot start: TLS private key [^\n]*key\.pem does not belong [^\n]*\n$/);
    await build.remove();
  });

  it('takes a key whose passphrase is in a file, line break and all', async () => {
    const environment = await newEnvironment(async (directory) => {
      const certificate = await ca.issue();
      const files = await pairOf(directory, certificate);
      await writeFile(join(directory, 'key.pem'), certificate.encryptedKey(PASSPHRASE));
      await writeFile(join(directory, 'passphrase'), `${PASSPHRASE}\n`);
      return { ...files, TLS_KEY_PASSPHRASE_FILE: join(directory, 'passphrase') };
    });
    // It gets as far as the database, which a production start doesn't migrate.
    await expect(createApp(environment)).rejects.toThrow(/app\.db does not exist/);
  });
});

async function pairOf(directory: string, certificate: TestCertificate): Promise<Files> {
  const { certFile, keyFile } = await writePair(directory, [certificate]);
  return { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
}

async function refusal(environment: Files): Promise<string> {
  const error: unknown = await createApp(environment).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(StartError);
  const { message } = error as StartError;
  expect(message).not.toMatch(/\n|PRIVATE KEY|passphrase of this test|MII|MIG/);
  return message;
}
