import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';

/** One or more certificates, in the order of their file. */
export type Certificates = readonly [X509Certificate, ...X509Certificate[]];

/** What a file holds, as errors call it, and the variable that names the file. */
export interface PemContent {
  readonly content: 'certificate' | 'private key' | 'client CA' | 'client CRL' | 'passphrase';
  readonly variable: string;
}

const readFailures: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
};

/** @throws StartError naming the file when it can't be read or is empty */
export function readTlsFile(file: string, { content, variable }: PemContent): Buffer {
  let contents: Buffer;
  try {
    contents = readFileSync(file);
  } catch (error) {
    const code = errorCode(error) ?? 'unknown';
    const reason = readFailures[code] ?? `cannot be read (${code})`;
    const kind = content === 'passphrase' ? 'the file that holds it' : 'a PEM file';
    throw new StartError(`TLS ${content} ${file} ${reason}; set ${variable} to ${kind}`, { cause: error });
  }
  if (contents.length === 0) throw new StartError(`TLS ${content} ${file} is empty; write the file anew`);
  return contents;
}

/**
 * Every certificate of a PEM text. What stands between them is ignored, as OpenSSL does.
 *
 * @param what - begins the messages, for example `TLS certificate /etc/chain.pem`
 * @throws StartError when there is none, or one of them is damaged or cut short
 */
export function parseCertificates(pem: Buffer, what: string): Certificates {
  const text = pem.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun === 0) {
    throw new StartError(
      `${what} holds no PEM certificate; convert DER with: openssl x509 -in <der> -out <pem>`,
    );
  }
  const certificates = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new StartError(`${what} cannot be parsed at certificate ${index + 1} of ${begun}`, {
        cause: error,
      });
    }
  });
  const [first, ...others] = certificates;
  if (first === undefined || certificates.length !== begun) {
    throw new StartError(
      `${what} is cut short: ${certificates.length} of ${begun} certificates are complete`,
    );
  }
  return [first, ...others];
}
