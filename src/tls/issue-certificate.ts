// @peculiar/x509 resolves its algorithms by decorator metadata, so this import must precede it.
import 'reflect-metadata'; // oxlint-disable-line import/no-unassigned-import
import { createPublicKey, type KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import {
  DEVELOPMENT_CA_NAME,
  DEVELOPMENT_HOSTS,
  DEVELOPMENT_ORGANISATION,
  SERVER_CERTIFICATE_DAYS,
} from './development-mark.js';

/**
 * A CA is trusted by hand, in a browser or an operating system, so it should outlast the yearly
 * routine; and it should end, because nobody remembers to withdraw that trust.
 */
const CA_DAYS = 5 * 365;

/** Containers and virtual machines on one desk differ by minutes. */
const BACKDATE_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const caName = [{ CN: [DEVELOPMENT_CA_NAME] }, { O: [DEVELOPMENT_ORGANISATION] }];

x509.cryptoProvider.set(crypto);

/**
 * Issues the development CA's own certificate (RFC 5280) for a P-256 private key; returns PEM.
 *
 * A CA key on a developer's disk is what an attacker would look for: once trusted, it could vouch for any
 * site. Its name constraints stop that: a client refuses what it signs for other names.
 */
export async function issueCaCertificate(key: KeyObject, now: Date): Promise<string> {
  const publicKey = toSpki(key);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: caName,
    issuer: caName,
    publicKey,
    signingKey: await toSigningKey(key),
    signingAlgorithm: algorithm,
    ...validity(now, CA_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension(NAME_CONSTRAINTS, true, nameConstraints()),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return toPem(certificate);
}

/** The CA's certificate in PEM, and its key. */
export interface Issuer {
  readonly certificate: string;
  readonly key: KeyObject;
}

/**
 * Issues a server certificate for `DEVELOPMENT_HOSTS`; returns the PEM chain, leaf first. All arguments but
 * `now` come from `issueCaCertificate` or are P-256 keys.
 */
export async function issueServerCertificate(ca: Issuer, key: KeyObject, now: Date): Promise<string> {
  const names = DEVELOPMENT_HOSTS.map((value): x509.JsonGeneralName => ({
    type: value === 'localhost' ? 'dns' : 'ip',
    value,
  }));
  return issueLeaf(ca, key, now, { name: 'localhost', names, usage: x509.ExtendedKeyUsage.serverAuth });
}

/**
 * Issues a certificate that a client shows; returns the PEM chain, leaf first. Its alternative name is an
 * e-mail address, because the CA's name constraints leave it no host name.
 *
 * @param name - letters, digits, hyphens and underscores
 */
export async function issueClientCertificate(
  ca: Issuer,
  key: KeyObject,
  now: Date,
  name: string,
): Promise<string> {
  const names: x509.JsonGeneralName[] = [{ type: 'email', value: `${name}@localhost` }];
  return issueLeaf(ca, key, now, { name, names, usage: x509.ExtendedKeyUsage.clientAuth });
}

/** The serial number is 128 random bits (RFC 5280, 4.1.2.2). */
async function issueLeaf(
  ca: Issuer,
  key: KeyObject,
  now: Date,
  { name, names, usage }: { name: string; names: x509.JsonGeneralName[]; usage: string },
): Promise<string> {
  const publicKey = toSpki(key);
  const issuer = new x509.X509Certificate(ca.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [name] }, { O: [DEVELOPMENT_ORGANISATION] }],
    issuer: issuer.subjectName,
    publicKey,
    signingKey: await toSigningKey(ca.key),
    signingAlgorithm: algorithm,
    ...validity(now, SERVER_CERTIFICATE_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return toPem(certificate) + ca.certificate;
}

function toSpki(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
}

async function toSigningKey(key: KeyObject): Promise<CryptoKey> {
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  return crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  const notBefore = new Date(now.getTime() - BACKDATE_MS);
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * DAY_MS) };
}

function toPem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

// NameConstraints ::= SEQUENCE { [0] SEQUENCE OF SEQUENCE { base GeneralName } }, RFC 5280, 4.2.1.10,
// where a GeneralName is [2] a DNS name or [7] an address followed by its mask.
const NAME_CONSTRAINTS = '2.5.29.30';

function nameConstraints(): Buffer<ArrayBuffer> {
  const permitted = [
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.from([127, 0, 0, 1, ...Array<number>(4).fill(0xff)])),
    der(0x87, Buffer.from([...Array<number>(15).fill(0), 1, ...Array<number>(16).fill(0xff)])),
  ];
  return der(0x30, der(0xa0, ...permitted.map((name) => der(0x30, name))));
}

/** One DER element; the contents stay below the 128 bytes that need a longer length. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer<ArrayBuffer> {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, body.length]), body]);
}
