import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export interface CertificateFiles {
  readonly TLS_CERT_FILE: string;
  readonly TLS_KEY_FILE: string;
}

/** A certificate for 127.0.0.1 as a public CA would issue it, with that CA as `ca.pem` beside it. */
export async function writeProductionCertificate(directory: string): Promise<CertificateFiles> {
  x509.cryptoProvider.set(crypto);
  const [caKeys, keys] = await Promise.all([newKeys(), newKeys()]);
  const dates = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test CA',
    keys: caKeys,
    signingAlgorithm: algorithm,
    ...dates,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=api.example.com',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    ...dates,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const files = { TLS_CERT_FILE: join(directory, 'leaf.pem'), TLS_KEY_FILE: join(directory, 'leaf.key') };
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'ca.pem'), ca.toString('pem'));
  await writeFile(files.TLS_CERT_FILE, `${leaf.toString('pem')}\n`);
  await writeFile(files.TLS_KEY_FILE, x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), { mode: 0o600 });
  return files;
}

async function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
