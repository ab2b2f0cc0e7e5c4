import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { errorCode } from '../common/error-code.js';
import { SecretText } from '../common/secret-text.js';
import { StartError } from '../common/start-error.js';
import { chainFault } from './certificate-chain.js';
import { isFromDevelopmentCa } from './development-mark.js';
import { type Certificates, parseCertificates, readTlsFile } from './pem-certificates.js';
import { serverUseFault } from './server-use.js';

/** A certificate chain and private key that belong together and are valid now. */
export interface ServerCertificate {
  /** PEM chain, leaf first, as read. */
  readonly cert: Buffer;
  /** PEM private key, as read: never log this object. */
  readonly key: Buffer;
  readonly passphrase?: string;
  readonly notAfter: Date;
  /** For example `DNS:localhost, IP Address:127.0.0.1`. */
  readonly subjectAltName: string;
  /** SHA-256 of the leaf, upper case hexadecimal with colons. */
  readonly fingerprint256: string;
  readonly serialNumber: string;
}

export interface ServerCertificateOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** Of the key: itself, or the file that holds it. A line break at that file's end is not part of it. */
  readonly passphrase?: SecretText | { readonly file: string } | undefined;
  readonly now: Date;
  /** Also refuses what only a development machine would trust, and RSA below `MIN_RSA_BITS`. */
  readonly production: boolean;
  /** The one served until now, when this is to replace it. */
  readonly before?: ServerCertificate;
}

/** 128 bits of strength, as P-256 has (NIST SP 800-57 part 1, table 2). */
const MIN_RSA_BITS = 3072;

/**
 * Reads and checks the server's certificate chain and private key.
 *
 * @throws StartError naming the file at fault, for everything that would otherwise only fail in a
 *   client's handshake. The key and the passphrase are never in the message.
 */
export function loadServerCertificate(options: ServerCertificateOptions): ServerCertificate {
  const { certFile, keyFile, now, production, before } = options;
  const cert = readTlsFile(certFile, { content: 'certificate', variable: 'TLS_CERT_FILE' });
  const key = readTlsFile(keyFile, { content: 'private key', variable: 'TLS_KEY_FILE' });
  const passphrase = readPassphrase(options.passphrase);
  const chain = parseCertificates(cert, `TLS certificate ${certFile}`);
  const [leaf] = chain;
  checkKey(chain, parseKey(key, keyFile, passphrase), options);
  checkValidity(leaf, certFile, now);
  const fault =
    serverUseFault(leaf) ??
    chainFault(chain, now, before && parseCertificates(before.cert, 'the certificate before it'));
  if (fault !== undefined) throw refused(certFile, fault);
  if (production) checkProduction(chain, certFile);
  const secret = passphrase === undefined ? {} : { passphrase };
  try {
    createSecureContext({ cert, key, ...secret });
  } catch (error) {
    throw refused(certFile, `is refused by OpenSSL (${errorCode(error) ?? 'unknown reason'})`, error);
  }
  return {
    cert,
    key,
    ...secret,
    notAfter: leaf.validToDate,
    subjectAltName: leaf.subjectAltName ?? '',
    fingerprint256: leaf.fingerprint256,
    serialNumber: leaf.serialNumber,
  };
}

function readPassphrase(passphrase: ServerCertificateOptions['passphrase']): string | undefined {
  if (!passphrase || passphrase instanceof SecretText) return passphrase?.reveal();
  const content = { content: 'passphrase', variable: 'TLS_KEY_PASSPHRASE_FILE' } as const;
  return readTlsFile(passphrase.file, content)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

function parseKey(key: Buffer, file: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
  } catch (error) {
    throw new StartError(`TLS private key ${file} ${keyFailure(key, passphrase)}`, { cause: error });
  }
}

function keyFailure(key: Buffer, passphrase: string | undefined): string {
  const text = key.toString('latin1');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'holds no PEM private key';
  if (!text.includes('ENCRYPTED')) return 'cannot be parsed';
  return passphrase === undefined
    ? 'is encrypted; set TLS_KEY_PASSPHRASE'
    : 'cannot be decrypted with TLS_KEY_PASSPHRASE';
}

function checkKey(
  [leaf, ...issuers]: Certificates,
  key: KeyObject,
  { certFile, keyFile }: ServerCertificateOptions,
): void {
  if (leaf.checkPrivateKey(key)) return;
  if (issuers.some((issuer) => issuer.checkPrivateKey(key))) {
    throw refused(certFile, "is in the wrong order; put the server's own certificate first");
  }
  throw new StartError(`TLS private key ${keyFile} does not belong to the certificate ${certFile}`);
}

function checkValidity(leaf: X509Certificate, file: string, now: Date): void {
  if (now > leaf.validToDate) {
    throw refused(file, `expired at ${leaf.validToDate.toISOString()}; renew it`);
  }
  if (now < leaf.validFromDate) {
    throw refused(
      file,
      `is not valid before ${leaf.validFromDate.toISOString()}; check this machine's clock`,
    );
  }
}

function checkProduction(chain: Certificates, file: string): void {
  const [leaf] = chain;
  if (chain.some(isFromDevelopmentCa)) {
    throw refused(file, 'is from a development CA; production needs one from a CA that clients trust');
  }
  // By signature: comparing names would miss a self-signed certificate whose issuer is made up.
  if (leaf.verify(leaf.publicKey)) {
    throw refused(file, 'is self-signed; production needs one from a CA that clients trust');
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey;
  const bits = asymmetricKeyDetails?.modulusLength;
  if (asymmetricKeyType?.startsWith('rsa') === true && bits !== undefined && bits < MIN_RSA_BITS) {
    throw refused(file, `has an RSA key of ${bits} bits, want ${MIN_RSA_BITS} or more, or P-256`);
  }
}

function refused(file: string, reason: string, cause?: unknown): StartError {
  return new StartError(`TLS certificate ${file} ${reason}`, { cause });
}
