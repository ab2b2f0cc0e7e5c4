import 'reflect-metadata'; // oxlint-disable-line import/no-unassigned-import
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartError } from '../common/start-error.js';
import { ensureDevelopmentCertificates } from './development-certificates.js';

const NAMES = ['ca.key', 'ca.pem', 'server.key', 'server.pem'] as const;
const NOW = new Date('2030-01-01T12:00:00Z');
const later = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

let root: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'development-certificates-'));
  directory = join(root, 'certs');
});
afterEach(() => rm(root, { recursive: true, force: true }));

type Contents = Record<(typeof NAMES)[number], string>;

/** Starts at a time; returns what the files then hold. */
async function start(now = NOW): Promise<Contents> {
  await ensureDevelopmentCertificates({ directory, now });
  return read();
}

async function read(): Promise<Contents> {
  expect((await readdir(directory)).toSorted()).toEqual(NAMES);
  const text = (name: keyof Contents) => readFile(join(directory, name), 'utf8');
  return {
    'ca.key': await text('ca.key'),
    'ca.pem': await text('ca.pem'),
    'server.key': await text('server.key'),
    'server.pem': await text('server.pem'),
  };
}

/** What a TLS client or server would find wrong with the files; nothing is right. */
function faultsOf(files: Contents, now = NOW): string[] {
  const ca = new X509Certificate(files['ca.pem']);
  const leaf = new X509Certificate(files['server.pem']);
  const checks = {
    'CA has another key': ca.checkPrivateKey(createPrivateKey(files['ca.key'])),
    'CA may vouch for any host': new x509.X509Certificate(files['ca.pem']).getExtension('2.5.29.30') !== null,
    'server has another key': leaf.checkPrivateKey(createPrivateKey(files['server.key'])),
    'server has another issuer': leaf.checkIssued(ca) && leaf.verify(ca.publicKey),
    'chain lacks the CA': files['server.pem'].endsWith(files['ca.pem']),
    'not valid now': leaf.validFromDate < now && now < leaf.validToDate,
    'outlives the CA': leaf.validToDate <= ca.validToDate,
  };
  return Object.entries(checks).flatMap(([fault, isFine]) => (isFine ? [] : [fault]));
}

async function put(name: string, contents: string): Promise<void> {
  await writeFile(join(directory, name), contents, { mode: 0o600 });
}

async function mode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

describe('ensureDevelopmentCertificates', () => {
  it('names the files it made', async () => {
    expect(await ensureDevelopmentCertificates({ directory, now: NOW })).toEqual({
      caFile: join(directory, 'ca.pem'),
      certFile: join(directory, 'server.pem'),
      keyFile: join(directory, 'server.key'),
    });
    expect(faultsOf(await start())).toEqual([]);
  });

  it('makes a P-256 CA for five years that may sign end-entity certificates and CRLs only', async () => {
    const pem = (await start())['ca.pem'];
    const ca = new x509.X509Certificate(pem);
    expect(new X509Certificate(pem).publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(ca.subjectName.getField('CN')).toEqual([expect.stringContaining('development CA')]);
    expect(ca.getExtension(x509.BasicConstraintsExtension)).toMatchObject({
      critical: true,
      ca: true,
      pathLength: 0,
    });
    expect(ca.getExtension(x509.KeyUsagesExtension)).toMatchObject({
      critical: true,
      usages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
    });
    expect(ca.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).toMatch(/^[0-9a-f]{40}$/);
    expect(ca.notAfter.getFullYear()).toBe(2034);
  });

  it('makes a P-256 server certificate for localhost, 127.0.0.1 and ::1 and nothing else', async () => {
    const files = await start();
    const pem = files['server.pem'];
    const leaf = new x509.X509Certificate(pem);
    const ca = new x509.X509Certificate(files['ca.pem']);
    const native = new X509Certificate(pem);
    expect(native.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(native.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect(leaf.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ critical: true, ca: false });
    expect(leaf.getExtension(x509.KeyUsagesExtension)).toMatchObject({
      critical: true,
      usages: x509.KeyUsageFlags.digitalSignature,
    });
    expect(leaf.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([
      x509.ExtendedKeyUsage.serverAuth,
    ]);
    expect(leaf.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).toMatch(/^[0-9a-f]{40}$/);
    expect(leaf.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(
      ca.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
    );
    expect(leaf.serialNumber).toMatch(/^[0-9a-f]{28,32}$/);
  });

  it('makes a CA whose certificates for any other host a client refuses', async () => {
    const files = await start(new Date());
    const ca = new x509.X509Certificate(files['ca.pem']);
    const caKey = await toSigningKey(createPrivateKey(files['ca.key']));
    for (const host of ['localhost', 'bank.example.test']) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const certificate = await x509.X509CertificateGenerator.create({
        subject: 'CN=stolen CA key',
        issuer: ca.subject,
        publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
        signingKey: caKey,
        signingAlgorithm: algorithm,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
      });
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
      const server = createServer({ cert: certificate.toString('pem'), key }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const socket = connect({ ...addressOf(server), servername: host, ca: files['ca.pem'] });
      const outcome = await once(socket, 'secureConnect').then(
        () => 'accepted',
        (error) => error.message,
      );
      socket.destroy();
      await server[Symbol.asyncDispose]();
      expect([host, outcome]).toEqual([
        host,
        host === 'localhost' ? 'accepted' : 'permitted subtree violation',
      ]);
    }
  });

  it('makes a server certificate valid for at most 90 days, from five minutes ago', async () => {
    const leaf = new X509Certificate((await start())['server.pem']);
    expect(NOW.getTime() - leaf.validFromDate.getTime()).toBe(5 * 60_000);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(90 * 86_400_000);
  });

  it('makes private keys in PKCS#8 that only their owner can read', async () => {
    const files = await start();
    for (const name of ['ca.key', 'server.key'] as const) {
      expect(files[name]).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
      expect(await mode(join(directory, name))).toBe(0o600);
    }
    expect(await mode(directory)).toBe(0o700);
  });

  it('leaves the mode of a directory that was there', async () => {
    await mkdir(directory);
    await chmod(directory, 0o755);
    await start();
    expect(await mode(directory)).toBe(0o755);
  });

  it('closes a private key that others can read', async () => {
    const files = await start();
    await chmod(join(directory, 'ca.key'), 0o644);
    await chmod(join(directory, 'server.key'), 0o640);
    expect(await start()).toEqual(files);
    expect(await mode(join(directory, 'ca.key'))).toBe(0o600);
    expect(await mode(join(directory, 'server.key'))).toBe(0o600);
  });

  it('reuses every file at a later start while a third of the life is left', async () => {
    const files = await start();
    expect(await start(later(59))).toEqual(files);
  });

  it('renews the server certificate in the last third of its life, under the same CA', async () => {
    const files = await start();
    const renewed = await start(later(61));
    expect(renewed).toEqual({ ...files, 'server.pem': expect.any(String) });
    expect(renewed['server.pem']).not.toBe(files['server.pem']);
    expect(faultsOf(renewed, later(61))).toEqual([]);
  });

  it.each([
    ['is missing', () => rm(join(directory, 'server.pem'))],
    ['cannot be parsed', () => put('server.pem', 'not a certificate')],
    ['lost its chain', async (files) => put('server.pem', files['server.pem'].replace(files['ca.pem'], ''))],
    ['is not valid yet', async () => put('server.pem', (await start(later(70)))['server.pem'])],
    ['lost its key', () => rm(join(directory, 'server.key'))],
    ['has a damaged key', () => put('server.key', '-----BEGIN PRIVATE KEY-----\nMIGH\n')],
    ['has the key of another', (files) => put('server.key', files['ca.key'])],
  ] satisfies [string, (files: Contents) => Promise<void>][])(
    'renews a server certificate that %s, under the same CA',
    async (_name, damage) => {
      const files = await start();
      await damage(files);
      const renewed = await start();
      expect(faultsOf(renewed)).toEqual([]);
      expect(renewed['ca.pem']).toBe(files['ca.pem']);
      expect(renewed['server.pem']).not.toBe(files['server.pem']);
    },
  );

  it('renews a server certificate signed by an earlier CA', async () => {
    const files = await start();
    await rm(directory, { recursive: true });
    const other = await start();
    await put('server.pem', files['server.pem'].replace(files['ca.pem'], other['ca.pem']));
    await put('server.key', files['server.key']);
    expect(faultsOf(await start())).toEqual([]);
  });

  it.each([
    ['is missing', () => rm(join(directory, 'ca.pem'))],
    ['lost its key', () => rm(join(directory, 'ca.key'))],
    ['has a damaged key', () => put('ca.key', '')],
    ['is a server certificate', (files) => put('ca.pem', files['server.pem'])],
    ['may vouch for any host', async (files) => put('ca.pem', await newUnconstrainedCa(files['ca.key']))],
    ['cannot be parsed', () => put('ca.pem', '-----BEGIN CERTIFICATE-----\n')],
  ] satisfies [string, (files: Contents) => Promise<void>][])(
    'makes a new CA and server certificate when the CA %s',
    async (_name, damage) => {
      const files = await start();
      await damage(files);
      const renewed = await start();
      expect(faultsOf(renewed)).toEqual([]);
      expect(renewed['ca.pem']).not.toBe(files['ca.pem']);
      expect(renewed['server.pem']).not.toBe(files['server.pem']);
    },
  );

  it('makes a new CA before the old one would end within the life of a server certificate', async () => {
    const files = await start();
    const before = await start(later(5 * 365 - 91));
    expect(before['ca.pem']).toBe(files['ca.pem']);
    const after = await start(later(5 * 365 - 89));
    expect(after['ca.pem']).not.toBe(files['ca.pem']);
    expect(faultsOf(after, later(5 * 365 - 89))).toEqual([]);
  });

  it('agrees on one CA and one pair when sixteen processes start at once', async () => {
    const starts = Array.from({ length: 16 }, () => ensureDevelopmentCertificates({ directory, now: NOW }));
    await Promise.all(starts);
    const files = await read();
    expect(faultsOf(files)).toEqual([]);
    expect(await start()).toEqual(files);
  });

  it.each([
    ['server.key', 'an RSA key', () => newRsaKey()],
    [
      'server.key',
      'an encrypted key',
      () => newRsaKey({ cipher: 'aes-256-cbc', passphrase: 'secret words' }),
    ],
    ['ca.key', 'an RSA key', () => newRsaKey()],
    ['server.pem', 'a certificate of another CA', () => newForeignCertificate()],
    ['ca.pem', 'another CA', () => newForeignCertificate()],
  ] satisfies [string, string, () => string | Promise<string>][])(
    'refuses to overwrite %s when it is %s',
    async (name, _what, make) => {
      await start();
      const own = await make();
      await put(name, own);
      const error = await ensureDevelopmentCertificates({ directory, now: NOW }).catch((caught) => caught);
      expect(error).toBeInstanceOf(StartError);
      expect(error.message).toContain(`${join(directory, name)} was not made by the development CA`);
      expect(await readFile(join(directory, name), 'utf8')).toBe(own);
    },
  );

  it('says which directory it cannot use, and what to do', async () => {
    await writeFile(directory, 'a file in its place');
    const error = await ensureDevelopmentCertificates({ directory, now: NOW }).catch((caught) => caught);
    expect(error).toBeInstanceOf(StartError);
    expect(error.message).toBe(
      `cannot make development certificates in ${directory} (EEXIST); ` +
        'make the directory writable, or set TLS_CERT_FILE and TLS_KEY_FILE',
    );
  });
});

function newRsaKey(protection: { cipher?: string; passphrase?: string } = {}): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', ...protection },
  }).privateKey;
}

async function newForeignCertificate(): Promise<string> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return newSelfSigned('CN=api.example.test', keys.privateKey);
}

async function newUnconstrainedCa(caKey: string): Promise<string> {
  return newSelfSigned('CN=development CA, O=For development only', createPrivateKey(caKey));
}

async function newSelfSigned(name: string, key: KeyObject): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: name,
    publicKey: new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })),
    signingKey: await toSigningKey(key),
    signingAlgorithm: algorithm,
    notBefore: NOW,
    notAfter: later(400),
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  return certificate.toString('pem');
}

async function toSigningKey(key: KeyObject): Promise<CryptoKey> {
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  return crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
}

function addressOf(server: Server): { host: string; port: number } {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no TCP address');
  return { host: address.address, port: address.port };
}
