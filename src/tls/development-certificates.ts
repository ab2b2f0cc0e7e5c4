import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import {
  DEVELOPMENT_HOSTS,
  isConstrained,
  isFromDevelopmentCa,
  SERVER_CERTIFICATE_DAYS,
} from './development-mark.js';
import { publish, readIfPresent } from './pem-file.js';

export interface DevelopmentCertificates {
  /** The CA certificate clients trust: `curl --cacert`. */
  readonly caFile: string;
  /** The server's chain, leaf first. */
  readonly certFile: string;
  /** The server's private key, PKCS#8 PEM, mode 0600. */
  readonly keyFile: string;
}

/** A third of the life is left when the server certificate is renewed, as ACME clients do. */
const RENEW_BEFORE_DAYS = SERVER_CERTIFICATE_DAYS / 3;
const DAY_MS = 86_400_000;
const PRIVATE_MODE = 0o600;
export const PUBLIC_MODE = 0o644;

/**
 * Makes what is missing or unusable of a development CA (`ca.pem`, `ca.key`) and a server certificate for
 * localhost (`server.pem`, `server.key`), and leaves the rest as it is: a CA trusted once stays trusted.
 *
 * Several processes may start at once. There is no lock: a key is created at most once and kept
 * through every renewal, and all certificates made for one key are interchangeable.
 *
 * @throws StartError when a file can't be read or written, or was not made here.
 */
export async function ensureDevelopmentCertificates({
  directory,
  now,
  renew = false,
}: {
  directory: string;
  now: Date;
  /** Makes a new server certificate, however good the old one is. */
  renew?: boolean;
}): Promise<DevelopmentCertificates> {
  const caFile = join(directory, 'ca.pem');
  const caKeyFile = join(directory, 'ca.key');
  const certFile = join(directory, 'server.pem');
  const keyFile = join(directory, 'server.key');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const caKey = await ensureKey(caKeyFile);
    const ca = await ensureCertificate(
      caFile,
      (_pem, certificate) => isUsableCa(certificate, caKey, now),
      async () => (await issuing()).issueCaCertificate(caKey, now),
    );
    const key = await ensureKey(keyFile);
    await ensureCertificate(
      certFile,
      (pem, certificate) => !renew && pem.endsWith(ca) && isUsableLeaf(certificate, ca, key, now),
      async () => (await issuing()).issueServerCertificate({ certificate: ca, key: caKey }, key, now),
    );
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `cannot make development certificates in ${directory} (${errorCode(error) ?? String(error)}); ` +
        'make the directory writable, or set TLS_CERT_FILE and TLS_KEY_FILE',
      { cause: error },
    );
  }
  return { caFile, certFile, keyFile };
}

/** Loaded once in ninety days: the ASN.1 library behind it takes longer to load than all other checks here. */
function issuing() {
  return import('./issue-certificate.js');
}

function isUsableCa(certificate: X509Certificate, key: KeyObject, now: Date): boolean {
  // A CA must outlive every certificate it signs today.
  return (
    isValidFor(certificate, SERVER_CERTIFICATE_DAYS, now) &&
    certificate.checkPrivateKey(key) &&
    isConstrained(certificate)
  );
}

function isUsableLeaf(leaf: X509Certificate, ca: string, key: KeyObject, now: Date): boolean {
  return (
    isValidFor(leaf, RENEW_BEFORE_DAYS, now) &&
    leaf.checkPrivateKey(key) &&
    leaf.verify(new X509Certificate(ca).publicKey) &&
    DEVELOPMENT_HOSTS.every((host) => leaf.checkHost(host) ?? leaf.checkIP(host))
  );
}

function isValidFor(certificate: X509Certificate, days: number, now: Date): boolean {
  return (
    certificate.validFromDate <= now && certificate.validToDate.getTime() - now.getTime() >= days * DAY_MS
  );
}

async function ensureCertificate(
  file: string,
  isUsable: (pem: string, first: X509Certificate) => boolean,
  issue: () => Promise<string>,
): Promise<string> {
  const pem = await readIfPresent(file);
  const certificate = pem === undefined ? undefined : parse(() => new X509Certificate(pem));
  if (pem !== undefined && certificate !== undefined) {
    if (isUsable(pem, certificate)) return pem;
    if (!isFromDevelopmentCa(certificate)) throw notMadeHere(file);
  }
  await publish(file, await issue(), { mode: PUBLIC_MODE, on: pem === undefined ? 'create' : 'replace' });
  return readFile(file, 'utf8');
}

/**
 * A P-256 private key in a file of mode 0600, made where there is none.
 *
 * @throws StartError when the file holds another key
 */
export async function ensureKey(file: string): Promise<KeyObject> {
  const pem = await readIfPresent(file);
  const key = pem === undefined ? undefined : parse(() => createPrivateKey(pem));
  if (key === undefined) {
    // A passphrase says that somebody may still need this key; damaged PEM is of no use to anyone.
    if (pem?.includes('ENCRYPTED') === true) throw notMadeHere(file);
    await publish(file, newKey(), { mode: PRIVATE_MODE, on: pem === undefined ? 'create' : 'replace' });
    return createPrivateKey(await readFile(file));
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw notMadeHere(file);
  // A copy or a restored backup loses the mode. Nothing outside this machine trusts the key, so closing
  // the file is enough; refusing to start would teach people to run chmod by rote.
  if (((await stat(file)).mode & 0o077) !== 0) await chmod(file, PRIVATE_MODE);
  return key;
}

function newKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
}

function parse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Somebody's own certificate or key may have no other copy: never overwrite it. */
function notMadeHere(file: string): StartError {
  return new StartError(
    `${file} was not made by the development CA; move it elsewhere and set TLS_CERT_FILE and TLS_KEY_FILE to use it`,
  );
}
