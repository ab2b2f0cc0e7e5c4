import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApp } from '../../src/app.setup.js';
import { StartError } from '../../src/common/start-error.js';
import { ensureDevelopmentCertificates } from '../../src/tls/development-certificates.js';
import { Build } from '../support/built-server.js';
import { environmentIn } from '../support/test-app.js';
import { newCa, selfSigned, type TestCertificate, writePair } from '../support/test-ca.js';

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

  it.each<[string, RegExp, (directory: string) => Promise<Files>]>([
    [
      'that has expired',
      /certificate .*chain\.pem expired at/,
      async (directory) => pairOf(directory, await ca.issue({ from: -9, to: -1 })),
    ],
    [
      'that is not valid yet',
      /certificate .*chain\.pem is not valid before/,
      async (directory) => pairOf(directory, await ca.issue({ from: 1 })),
    ],
    [
      'of another key',
      /private key .*key\.pem does not belong to the certificate/,
      async (directory) => {
        const files = await pairOf(directory, await ca.issue());
        await writeFile(join(directory, 'key.pem'), (await ca.issue()).key);
        return files;
      },
    ],
    [
      'without a subject alternative name',
      /certificate .*chain\.pem has no subject alternative name/,
      async (directory) => pairOf(directory, await ca.issue({ san: [] })),
    ],
    [
      'that is self-signed',
      /certificate .*chain\.pem is self-signed/,
      async (directory) => pairOf(directory, await selfSigned()),
    ],
    [
      'of the development CA',
      /certificate .*server\.pem is from a development CA/,
      async (directory) => {
        const made = await ensureDevelopmentCertificates({ directory, now: new Date() });
        return { TLS_CERT_FILE: made.certFile, TLS_KEY_FILE: made.keyFile };
      },
    ],
    [
      'that is a directory',
      /certificate .*a-directory is a directory/,
      async (directory) => {
        const files = await pairOf(directory, await ca.issue());
        await mkdir(join(directory, 'a-directory'));
        return { ...files, TLS_CERT_FILE: join(directory, 'a-directory') };
      },
    ],
    [
      'whose key is an empty file',
      /private key .*key\.pem is empty/,
      async (directory) => {
        const files = await pairOf(directory, await ca.issue());
        await writeFile(join(directory, 'key.pem'), '');
        return files;
      },
    ],
    [
      'whose key needs another passphrase',
      /private key .*key\.pem cannot be decrypted with TLS_KEY_PASSPHRASE/,
      async (directory) => {
        const certificate = await ca.issue();
        const files = await pairOf(directory, certificate);
        await writeFile(join(directory, 'key.pem'), certificate.encryptedKey(PASSPHRASE));
        return { ...files, TLS_KEY_PASSPHRASE: `not ${PASSPHRASE}` };
      },
    ],
    [
      'whose passphrase is in no file',
      /passphrase .*absent does not exist; set TLS_KEY_PASSPHRASE_FILE/,
      async (directory) => ({
        ...(await pairOf(directory, await ca.issue())),
        TLS_KEY_PASSPHRASE_FILE: join(directory, 'absent'),
      }),
    ],
  ])('is refused with a certificate %s, in one line that names the file', async (_claim, reason, make) => {
    const error: unknown = await createApp(await newEnvironment(make)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StartError);
    const { message } = error as StartError;
    expect(message).toMatch(reason);
    expect(message).not.toMatch(/\n|PRIVATE KEY|passphrase of this test|MII|MIG/);
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
