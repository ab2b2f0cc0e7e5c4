import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CLIENT_AUTH, newCa, SERVER_AUTH, type TestCertificate } from '../../test/support/test-ca.js';
import { chainFault } from './certificate-chain.js';
import { type Certificates, parseCertificates } from './pem-certificates.js';

const caIssuers = 'http://ca.example.test/ca.der';

let root: TestCertificate;
let intermediate: TestCertificate;
let leaf: TestCertificate;
beforeAll(async () => {
  root = await newCa('CN=Root');
  intermediate = await root.issue({ name: 'CN=Intermediate', isCa: true, caIssuers });
  leaf = await intermediate.issue({ caIssuers });
});

function faultOf(chain: Certificates, before?: Certificates): string | undefined {
  return chainFault(chain, new Date(), before);
}

function chainOf(...certificates: TestCertificate[]) {
  return parseCertificates(Buffer.from(certificates.map(({ pem }) => pem).join('')), 'the chain');
}

describe('chainFault', () => {
  it('finds nothing wrong with a chain up to its root', () => {
    expect(faultOf(chainOf(leaf, intermediate, root))).toBeUndefined();
  });

  it('misses what a certificate says can be fetched, and no root clients know', () => {
    expect(faultOf(chainOf(leaf))).toBe(
      'lacks the certificate of its issuer, CN=Intermediate; append it (certbot: use fullchain.pem)',
    );
    expect(faultOf(chainOf(leaf, intermediate))).toMatch(/^lacks the certificate of its issuer, CN=Root/);
  });

  it('takes a certificate of a private CA that says nothing of its issuer', async () => {
    expect(faultOf(chainOf(await root.issue()))).toBeUndefined();
  });

  it('takes a self-signed certificate for its own issuer', () => {
    const [pem = ''] = rootCertificates;
    expect(faultOf([new X509Certificate(pem)])).toBeUndefined();
  });

  it('misses an intermediate that the chain before it had, not a root', async () => {
    const [plain, next] = [await root.issue({ name: 'CN=Plain', isCa: true }), await root.issue()];
    const before = chainOf(await plain.issue(), plain, root);
    expect(faultOf(chainOf(await plain.issue()), before)).toMatch(/^lacks .* CN=Plain;/);
    expect(faultOf(chainOf(next), before)).toBeUndefined();
  });

  it('finds a certificate that did not issue the one before it', async () => {
    const impostor = await newCa('CN=Intermediate');
    const fault = 'is no chain: certificate 2 of 2 did not issue the one before it';
    expect(faultOf(chainOf(leaf, impostor))).toBe(fault);
    expect(faultOf(chainOf(leaf, root))).toBe(fault);
    expect(faultOf(chainOf(leaf, intermediate, impostor))).toBe(fault.replace('2 of 2', '3 of 3'));
  });

  it.each([
    [
      'has expired',
      { from: -9, to: -1 },
      /^holds CN=Intermediate, which expired at .*Z; put the issuer's current/,
    ],
    ['is not valid yet', { from: 1 }, /^holds CN=Intermediate, which is not valid before /],
    ['is for clients', { usages: [CLIENT_AUTH] }, /^holds CN=Intermediate, .* without serverAuth$/],
  ])(
    'refuses an intermediate that %s: clients would refuse what it issued',
    async (_claim, wanted, fault) => {
      const issuer = await root.issue({ name: 'CN=Intermediate', isCa: true, ...wanted });
      expect(faultOf(chainOf(await issuer.issue(), issuer))).toMatch(fault);
      expect(faultOf(chainOf(await issuer.issue(), issuer, root))).toMatch(fault);
    },
  );

  it('takes an intermediate that is for servers, and a root that has expired: clients have their own', async () => {
    const issuer = await root.issue({ name: 'CN=Servers', isCa: true, usages: [SERVER_AUTH] });
    expect(faultOf(chainOf(await issuer.issue(), issuer))).toBeUndefined();
    const old = await newCa('CN=Old', { from: -9, to: -1 });
    expect(faultOf(chainOf(await old.issue(), old))).toBeUndefined();
  });
});
