import 'reflect-metadata'; // oxlint-disable-line import/no-unassigned-import
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SecretText } from '../common/secret-text.js';
import { StartError } from '../common/start-error.js';
import { ensureDevelopmentCertificates } from './development-certificates.js';
import { loadServerCertificate, type ServerCertificateOptions } from './server-certificate.js';

const NOW = new Date('2030-01-01T12:00:00Z');
const later = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength,
});
const PASSPHRASE = 'a passphrase of this test';

interface Issued {
  readonly pem: string;
  readonly key: string;
  readonly keys: CryptoKeyPair;
}

let root: string;
let company: Issued;
let leaf: Issued;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'server-certificate-'));
  company = await issue({ name: 'CN=Company CA' });
  leaf = await issue({ name: 'CN=api.example.test', san: 'api.example.test', by: company });
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A certificate of 90 days from `NOW`, self-signed unless `by` an issuer. */
async function issue(wanted: {
  name: string;
  san?: string;
  by?: Issued;
  issuerName?: string;
  algorithm?: typeof EC | ReturnType<typeof rsa>;
}): Promise<Issued> {
  const algorithm = wanted.algorithm ?? EC;
  const usages: KeyUsage[] = ['sign', 'verify'];
  const keys = await crypto.subtle.generateKey(algorithm, true, usages);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: wanted.name,
    issuer: wanted.by ? new x509.X509Certificate(wanted.by.pem).subject : (wanted.issuerName ?? wanted.name),
    publicKey: keys.publicKey,
    signingKey: (wanted.by?.keys ?? keys).privateKey,
    signingAlgorithm: wanted.by ? EC : algorithm,
    notBefore: NOW,
    notAfter: later(90),
    extensions:
      wanted.san === undefined
        ? []
        : [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: wanted.san }])],
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    pem: `${certificate.toString('pem')}\n`,
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    keys,
  };
}

/** Writes both files into a directory of their own; a text of undefined leaves the file out. */
async function files(cert: string | undefined, key: string | undefined) {
  const directory = await mkdtemp(join(root, 'pair-'));
  const certFile = join(directory, 'cert.pem');
  const keyFile = join(directory, 'key.pem');
  if (cert !== undefined) await writeFile(certFile, cert);
  if (key !== undefined) await writeFile(keyFile, key, { mode: 0o600 });
  return { certFile, keyFile };
}

function refusal(options: Partial<ServerCertificateOptions> & { certFile: string; keyFile: string }): string {
  try {
    loadServerCertificate({ now: later(1), production: false, ...options });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    if (/\n|PRIVATE KEY-----|passphrase of/.test(error.message)) {
      throw new Error('the message is more than a line or holds a secret', { cause: error });
    }
    return error.message;
  }
  return 'no refusal';
}

function encrypted(): string {
  return createPrivateKey(leaf.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: PASSPHRASE,
  });
}

describe('loadServerCertificate', () => {
  it('loads a certificate chain with its key and says until when it is good', async () => {
    const { certFile, keyFile } = await files(leaf.pem + company.pem, leaf.key);
    const { fingerprint256, serialNumber } = new X509Certificate(leaf.pem);
    expect(loadServerCertificate({ certFile, keyFile, now: later(1.5), production: true })).toEqual({
      cert: await readFile(certFile),
      key: await readFile(keyFile),
      notAfter: later(90),
      subjectAltName: 'DNS:api.example.test',
      fingerprint256,
      serialNumber,
    });
  });

  it('loads an encrypted key with its passphrase', async () => {
    const pair = await files(leaf.pem, encrypted());
    const loaded = loadServerCertificate({
      ...pair,
      passphrase: new SecretText(PASSPHRASE),
      now: NOW,
      production: true,
    });
    expect(loaded.passphrase).toBe(PASSPHRASE);
  });

  it('takes the first and the last moment of the validity', async () => {
    const pair = await files(leaf.pem, leaf.key);
    expect(refusal({ ...pair, now: NOW, production: true })).toBe('no refusal');
    expect(refusal({ ...pair, now: later(90), production: true })).toBe('no refusal');
  });

  it('refuses a certificate or key file that is missing, a directory or empty', async () => {
    const { certFile, keyFile } = await files(leaf.pem, leaf.key);
    const directory = join(root, 'a-directory');
    await mkdir(directory);
    const absent = join(root, 'absent.pem');
    const { certFile: empty } = await files('', undefined);
    expect(refusal({ certFile: absent, keyFile })).toBe(
      `TLS certificate ${absent} does not exist; set TLS_CERT_FILE to a PEM file`,
    );
    expect(refusal({ certFile, keyFile: absent })).toBe(
      `TLS private key ${absent} does not exist; set TLS_KEY_FILE to a PEM file`,
    );
    expect(refusal({ certFile: directory, keyFile })).toContain(
      `TLS certificate ${directory} is a directory`,
    );
    expect(refusal({ certFile, keyFile: directory })).toContain(
      `TLS private key ${directory} is a directory`,
    );
    expect(refusal({ certFile: empty, keyFile })).toContain(`TLS certificate ${empty} is empty`);
    expect(refusal({ certFile, keyFile: empty })).toContain(`TLS private key ${empty} is empty`);
    expect(refusal({ certFile: `${certFile}/x`, keyFile })).toContain('cannot be read (ENOTDIR)');
  });

  it('refuses a certificate file that is not PEM, is a key, is damaged or was cut short', async () => {
    const notPem = await files('hello', leaf.key);
    expect(refusal(notPem)).toContain(`TLS certificate ${notPem.certFile} holds no PEM certificate`);
    expect(refusal(await files(leaf.key, leaf.key))).toContain('holds no PEM certificate');
    const damaged = await files(leaf.pem + company.pem.replace(/\nMII./, '\nAAAA'), leaf.key);
    expect(refusal(damaged)).toBe(
      `TLS certificate ${damaged.certFile} cannot be parsed at certificate 2 of 2`,
    );
    const cut = await files((leaf.pem + company.pem).slice(0, -40), leaf.key);
    expect(refusal(cut)).toBe(
      `TLS certificate ${cut.certFile} is cut short: 1 of 2 certificates are complete`,
    );
  });

  it('refuses a key file that is not PEM, is a certificate, is damaged or needs another passphrase', async () => {
    const pair = await files(leaf.pem, 'hello');
    expect(refusal(pair)).toBe(`TLS private key ${pair.keyFile} holds no PEM private key`);
    expect(refusal(await files(leaf.pem, leaf.pem))).toContain('holds no PEM private key');
    const damaged = await files(leaf.pem, leaf.key.replace(/\nMI../, '\nAAAA'));
    expect(refusal(damaged)).toBe(`TLS private key ${damaged.keyFile} cannot be parsed`);
    const locked = await files(leaf.pem, encrypted());
    expect(refusal(locked)).toBe(`TLS private key ${locked.keyFile} is encrypted; set TLS_KEY_PASSPHRASE`);
    expect(refusal({ ...locked, passphrase: new SecretText('another passphrase of this test') })).toBe(
      `TLS private key ${locked.keyFile} cannot be decrypted with TLS_KEY_PASSPHRASE`,
    );
  });

  it('refuses a key that does not belong to the certificate', async () => {
    const pair = await files(leaf.pem, company.key);
    expect(refusal(pair)).toBe(
      `TLS private key ${pair.keyFile} does not belong to the certificate ${pair.certFile}`,
    );
    const other = await issue({ name: 'CN=rsa.example.test', algorithm: rsa(2048) });
    expect(refusal(await files(leaf.pem, other.key))).toContain('does not belong to the certificate');
  });

  it('refuses a chain whose first certificate is not the one of the key', async () => {
    const pair = await files(company.pem + leaf.pem, leaf.key);
    expect(refusal(pair)).toBe(
      `TLS certificate ${pair.certFile} is in the wrong order; put the server's own certificate first`,
    );
  });

  it('refuses a certificate outside its validity', async () => {
    const pair = await files(leaf.pem, leaf.key);
    expect(refusal({ ...pair, now: later(90.001) })).toBe(
      `TLS certificate ${pair.certFile} expired at 2030-04-01T12:00:00.000Z; renew it`,
    );
    expect(refusal({ ...pair, now: later(-0.001) })).toBe(
      `TLS certificate ${pair.certFile} is not valid before 2030-01-01T12:00:00.000Z; check this machine's clock`,
    );
  });

  it('refuses a certificate without subject alternative name', async () => {
    const bare = await issue({ name: 'CN=api.example.test', by: company });
    const pair = await files(bare.pem, bare.key);
    expect(refusal(pair)).toContain(`TLS certificate ${pair.certFile} has no subject alternative name`);
  });

  it('refuses a certificate that OpenSSL would not serve', async () => {
    const weak = await issue({ name: 'CN=a.test', san: 'a.test', algorithm: rsa(1024) });
    const pair = await files(weak.pem, weak.key);
    expect(refusal(pair)).toBe(
      `TLS certificate ${pair.certFile} is refused by OpenSSL (ERR_SSL_EE_KEY_TOO_SMALL)`,
    );
  });

  it('refuses a certificate of a development CA in production only, with or without its chain', async () => {
    const made = await ensureDevelopmentCertificates({ directory: join(root, 'certs'), now: NOW });
    expect(refusal({ ...made, production: false })).toBe('no refusal');
    expect(refusal({ ...made, production: true })).toContain(
      `TLS certificate ${made.certFile} is from a development CA`,
    );
    const [first = ''] = (await readFile(made.certFile, 'utf8')).split(/(?<=END CERTIFICATE-----\n)/);
    const alone = await files(first, await readFile(made.keyFile, 'utf8'));
    expect(refusal({ ...alone, production: true })).toContain('is from a development CA');
  });

  it('refuses a self-signed certificate in production only, whatever issuer it claims', async () => {
    for (const issuerName of ['CN=a.test', 'CN=Some Public CA']) {
      const own = await issue({ name: 'CN=a.test', san: 'a.test', issuerName });
      const pair = await files(own.pem, own.key);
      expect(refusal({ ...pair, production: false })).toBe('no refusal');
      expect(refusal({ ...pair, production: true })).toBe(
        `TLS certificate ${pair.certFile} is self-signed; production needs one from a CA that clients trust`,
      );
    }
  });

  it('refuses an RSA key below 3072 bits in production only', async () => {
    const small = await issue({ name: 'CN=a.test', san: 'a.test', by: company, algorithm: rsa(2048) });
    const pair = await files(small.pem, small.key);
    expect(refusal({ ...pair, production: false })).toBe('no refusal');
    expect(refusal({ ...pair, production: true })).toBe(
      `TLS certificate ${pair.certFile} has an RSA key of 2048 bits, want 3072 or more, or P-256`,
    );
    const enough = await issue({ name: 'CN=a.test', san: 'a.test', by: company, algorithm: rsa(3072) });
    expect(refusal({ ...(await files(enough.pem, enough.key)), production: true })).toBe('no refusal');
  });
});
