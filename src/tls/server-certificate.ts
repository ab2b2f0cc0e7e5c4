import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { isFromDevelopmentCa } from './development-mark.js';

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
  /** Whole days until `notAfter`. */
  readonly daysLeft: number;
}

export interface ServerCertificateOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly passphrase?: string | undefined;
  readonly now: Date;
  /** Also refuses what only a development machine would trust, and RSA below `MIN_RSA_BITS`. */
  readonly production: boolean;
}

/** 128 bits of strength, as P-256 has (NIST SP 800-57 part 1, table 2). */
const MIN_RSA_BITS = 3072;
const DAY_MS = 86_400_000;

/**
 * Reads and checks the server's certificate chain and private key.
 *
 * @throws StartError naming the file at fault, for everything that would otherwise only fail in a
 *   client's handshake. The key and the passphrase are never in the message.
 */
export function loadServerCertificate(options: ServerCertificateOptions): ServerCertificate {
  const { certFile, keyFile, passphrase, now, production } = options;
  const cert = readPem(certFile, 'certificate', 'TLS_CERT_FILE');
  const key = readPem(keyFile, 'private key', 'TLS_KEY_FILE');
  const chain = parseChain(cert, certFile);
  const [leaf] = chain;
  checkKey(chain, parseKey(key, keyFile, passphrase), options);
  checkValidity(leaf, certFile, now);
  const { subjectAltName } = leaf;
  if (subjectAltName === undefined) {
    // RFC 9110, 4.3.4: clients no longer look at the common name.
    throw refused(certFile, 'has no subject alternative name; clients would trust it for no host');
  }
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
    subjectAltName,
    fingerprint256: leaf.fingerprint256,
    serialNumber: leaf.serialNumber,
    daysLeft: Math.floor((leaf.validToDate.getTime() - now.getTime()) / DAY_MS),
  };
}

type Chain = readonly [leaf: X509Certificate, ...issuers: X509Certificate[]];

const readFailures: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
};

function readPem(file: string, content: string, variable: string): Buffer {
  let contents: Buffer;
  try {
    contents = readFileSync(file);
  } catch (error) {
    const code = errorCode(error) ?? 'unknown';
    const reason = readFailures[code] ?? `cannot be read (${code})`;
    throw new StartError(`TLS ${content} ${file} ${reason}; set ${variable} to a PEM file`, { cause: error });
  }
  if (contents.length === 0) throw new StartError(`TLS ${content} ${file} is empty; write the PEM file anew`);
  return contents;
}

function parseChain(cert: Buffer, file: string): Chain {
  const text = cert.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun === 0) {
    throw refused(file, 'holds no PEM certificate; convert DER with: openssl x509 -in <der> -out <pem>');
  }
  const certificates = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw refused(file, `cannot be parsed at certificate ${index + 1} of ${begun}`, error);
    }
  });
  const [leaf, ...issuers] = certificates;
  if (leaf === undefined || certificates.length !== begun) {
    throw refused(file, `is cut short: ${certificates.length} of ${begun} certificates are complete`);
  }
  return [leaf, ...issuers];
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
  [leaf, ...issuers]: Chain,
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

function checkProduction(chain: Chain, file: string): void {
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
