import 'reflect-metadata'; // oxlint-disable-line import/no-unassigned-import
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsaAlgorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 3072,
};
const DAY_MS = 86_400_000;
const LOCALHOST: x509.JsonGeneralNames = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
];

/** Extended key usages. */
export const { clientAuth: CLIENT_AUTH, serverAuth: SERVER_AUTH } = x509.ExtendedKeyUsage;

x509.cryptoProvider.set(crypto);

interface Wanted {
  readonly name?: string;
  /** None for a CA, and where it is empty. */
  readonly san?: x509.JsonGeneralNames;
  /** Extended key usages; none unless given. */
  readonly usages?: readonly string[];
  readonly isCa?: boolean;
  /** A key of 3072 bits instead of one on P-256. */
  readonly isRsa?: boolean;
  /** The curve of the key, as OpenSSL calls it, also one that Web Crypto lacks. What it is signs nothing here. */
  readonly curve?: string;
  /** Where the issuer's certificate is said to be. */
  readonly caIssuers?: string;
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
}

/** A certificate, its key and whatever it issues. */
export class TestCertificate {
  constructor(
    private readonly certificate: x509.X509Certificate,
    private readonly privateKey: CryptoKey | undefined,
    /** PEM. */
    readonly key: string,
  ) {}

  get pem(): string {
    return `${this.certificate.toString('pem')}\n`;
  }

  /** As Node writes it: upper case. */
  get serialNumber(): string {
    return this.certificate.serialNumber.toUpperCase();
  }

  get subject(): string {
    return this.certificate.subject;
  }

  /** A server certificate for this machine unless told otherwise. */
  issue(wanted: Wanted = {}): Promise<TestCertificate> {
    return create(wanted.isCa === true ? wanted : { san: LOCALHOST, ...wanted }, this);
  }

  /** A revocation list in PEM. @param to - days from now until the next one @param from - its own day */
  async revoke(certificates: readonly TestCertificate[], to = 7, from = -8): Promise<string> {
    const crl = await x509.X509CrlGenerator.create({
      issuer: this.subject,
      thisUpdate: daysFromNow(from),
      nextUpdate: daysFromNow(to),
      signingAlgorithm: algorithm,
      signingKey: this.signingKey,
      entries: certificates.map(({ serialNumber }) => ({ serialNumber, revocationDate: daysFromNow(-1) })),
    });
    return `${x509.PemConverter.encode(crl.rawData, 'X509 CRL')}\n`;
  }

  /** Its key in PEM, encrypted. */
  encryptedKey(passphrase: string): string {
    const encryption = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
    return createPrivateKey(this.key).export(encryption);
  }

  /** The key that signs what this issues. */
  get signingKey(): CryptoKey {
    return signing(this.privateKey);
  }
}

export function newCa(
  name = 'CN=Test CA',
  validity: Pick<Wanted, 'from' | 'to'> = {},
): Promise<TestCertificate> {
  return create({ name, isCa: true, ...validity }, undefined);
}

/** A server certificate for this machine that nobody vouches for. */
export function selfSigned(): Promise<TestCertificate> {
  return create({ san: LOCALHOST }, undefined);
}

/** Writes a chain and the key of its first certificate as `chain.pem` and `key.pem`. */
export async function writePair(
  directory: string,
  chain: readonly [TestCertificate, ...TestCertificate[]],
): Promise<{ certFile: string; keyFile: string }> {
  const files = { certFile: join(directory, 'chain.pem'), keyFile: join(directory, 'key.pem') };
  await writeFile(files.certFile, chain.map(({ pem }) => pem).join(''));
  await writeFile(files.keyFile, chain[0].key, { mode: 0o600 });
  return files;
}

async function create(wanted: Wanted, by: TestCertificate | undefined): Promise<TestCertificate> {
  const keys = wanted.curve === undefined ? await newKeys(wanted) : newKeysOn(wanted.curve);
  const { name = 'CN=localhost', isCa = false, from = -1, to = isCa ? 365 : 90 } = wanted;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(14).toString('hex')}`,
    subject: name,
    issuer: by?.subject ?? name,
    publicKey: keys.publicKey,
    signingKey: by?.signingKey ?? signing(keys.privateKey),
    signingAlgorithm: algorithm,
    notBefore: daysFromNow(from),
    notAfter: daysFromNow(to),
    extensions: extensionsOf(wanted),
  });
  return new TestCertificate(certificate, keys.privateKey, keys.pem);
}

function signing(key: CryptoKey | undefined): CryptoKey {
  if (key === undefined) throw new Error('a key on a curve of its own signs nothing here');
  return key;
}

interface Keys {
  readonly publicKey: CryptoKey | Buffer<ArrayBuffer>;
  readonly privateKey?: CryptoKey;
  readonly pem: string;
}

async function newKeys({ isRsa }: Wanted): Promise<Keys> {
  const usages: KeyUsage[] = ['sign', 'verify'];
  const keys = await crypto.subtle.generateKey(isRsa === true ? rsaAlgorithm : algorithm, true, usages);
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { ...keys, pem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}

function newKeysOn(namedCurve: string): Keys {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

function extensionsOf({ isCa = false, san, usages, caIssuers }: Wanted): x509.Extension[] {
  const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(isCa, undefined, true),
    new x509.KeyUsagesExtension(isCa ? keyCertSign | cRLSign : digitalSignature, true),
    ...(san && san.length > 0 ? [new x509.SubjectAlternativeNameExtension(san)] : []),
    ...(usages ? [new x509.ExtendedKeyUsageExtension([...usages])] : []),
    ...(caIssuers === undefined ? [] : [new x509.AuthorityInfoAccessExtension({ caIssuers })]),
  ];
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}
