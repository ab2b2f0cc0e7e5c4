import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLIENT_AUTH, newCa, selfSigned, type TestCertificate, writePair } from './test-ca.js';

type Spoil = (directory: string, ca: TestCertificate) => Promise<unknown>;

/** A certificate and key that neither a start nor a reload may take, and the reason that both must give. */
export type BadPair = readonly [claim: string, reason: RegExp, spoil: Spoil];

function isReplaced(issue: (ca: TestCertificate) => Promise<TestCertificate>): Spoil {
  return async (directory, ca) => writePair(directory, [await issue(ca)]);
}

function isDirectory(name: string): Spoil {
  return async (directory) => {
    await rm(join(directory, name));
    await mkdir(join(directory, name));
  };
}

function keyIs(contentsOf: (certificate: TestCertificate) => string): Spoil {
  return async (directory, ca) => {
    const certificate = await ca.issue();
    await writePair(directory, [certificate]);
    await writeFile(join(directory, 'key.pem'), contentsOf(certificate));
  };
}

/** Of a pair as `writePair` leaves it in a directory. */
export const badPairs: readonly BadPair[] = [
  [
    'of another key',
    /private key .*key\.pem does not belong to the certificate .*chain\.pem$/,
    async (directory, ca) => writeFile(join(directory, 'key.pem'), (await ca.issue()).key),
  ],
  ['that has expired', /chain\.pem expired at/, isReplaced((ca) => ca.issue({ from: -9, to: -1 }))],
  ['that is not valid yet', /chain\.pem is not valid before/, isReplaced((ca) => ca.issue({ from: 1 }))],
  [
    'without a subject alternative name',
    /chain\.pem has no subject alternative name/,
    isReplaced((ca) => ca.issue({ san: [] })),
  ],
  [
    'for no host',
    /chain\.pem has .* without DNS name/,
    isReplaced((ca) => ca.issue({ san: [{ type: 'email', value: 'a@b.test' }] })),
  ],
  [
    'for clients',
    /chain\.pem has .* without serverAuth/,
    isReplaced((ca) => ca.issue({ usages: [CLIENT_AUTH] })),
  ],
  [
    'with a key that TLS lacks signatures for',
    /chain\.pem has an EC key on secp224r1/,
    isReplaced((ca) => ca.issue({ curve: 'secp224r1' })),
  ],
  ['that is self-signed', /chain\.pem is self-signed/, isReplaced(selfSigned)],
  [
    'of a development CA',
    /chain\.pem is from a development CA/,
    isReplaced(async () => (await newCa('CN=development CA, O=For development only')).issue()),
  ],
  ['whose file is a directory', /certificate .*chain\.pem is a directory/, isDirectory('chain.pem')],
  ['whose key is a directory', /private key .*key\.pem is a directory/, isDirectory('key.pem')],
  [
    'whose file is empty',
    /certificate .*chain\.pem is empty/,
    (directory) => writeFile(join(directory, 'chain.pem'), ''),
  ],
  ['whose key is an empty file', /private key .*key\.pem is empty/, keyIs(() => '')],
  [
    'whose file is missing',
    /certificate .*chain\.pem does not exist/,
    (directory) => rm(join(directory, 'chain.pem')),
  ],
  [
    'whose key is missing',
    /private key .*key\.pem does not exist/,
    (directory) => rm(join(directory, 'key.pem')),
  ],
  [
    'that is half written',
    /certificate .*chain\.pem is cut short/,
    async (directory, ca) => {
      const { pem } = await ca.issue();
      await writeFile(join(directory, 'chain.pem'), pem.slice(0, pem.length / 2));
    },
  ],
  [
    'whose key is half written',
    /private key .*key\.pem cannot be parsed/,
    keyIs(({ key }) => key.slice(0, 100)),
  ],
  [
    'whose key needs a passphrase',
    /private key .*key\.pem is encrypted; set TLS_KEY_PASSPHRASE/,
    keyIs((certificate) => certificate.encryptedKey('a passphrase of this test')),
  ],
];
