// @peculiar/x509 resolves its algorithms by decorator metadata, so this import must precede it.
import 'reflect-metadata'; // oxlint-disable-line import/no-unassigned-import
import * as x509 from '@peculiar/x509';

const DAY_MS = 86_400_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

x509.cryptoProvider.set(crypto);

export interface PrivateCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A private CA, as a company has, and a certificate of it for localhost with a P-256 key; all PEM. */
export async function issuePrivateCertificates(): Promise<PrivateCertificates> {
  const notBefore = new Date(Date.now() - DAY_MS);
  const validity = { notBefore, notAfter: new Date(notBefore.getTime() + 2 * DAY_MS) };
  const caKeys = await newKeyPair();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Benchmark CA',
    keys: caKeys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const keys = await newKeyPair();
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    ca: ca.toString('pem'),
    cert: `${leaf.toString('pem')}\n${ca.toString('pem')}\n`,
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}

function newKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
