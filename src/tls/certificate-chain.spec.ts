import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { newCa, type TestCertificate } from '../../test/support/test-ca.js';
import { chainFault } from './certificate-chain.js';
import { parseCertificates } from './pem-certificates.js';

const caIssuers = 'http://ca.example.test/ca.der';

let root: TestCertificate;
let intermediate: TestCertificate;
let leaf: TestCertificate;
beforeAll(async () => {
  root = await newCa('CN=Root');
  intermediate = await root.issue({ name: 'CN=Intermediate', isCa: true, caIssuers });
  leaf = await intermediate.issue({ caIssuers });
});

function chainOf(...certificates: TestCertificate[]) {
  return parseCertificates(Buffer.from(certificates.map(({ pem }) => pem).join('')), 'the chain');
}

describe('chainFault', () => {
  it('finds nothing wrong with a chain up to its root', () => {
    expect(chainFault(chainOf(leaf, intermediate, root))).toBeUndefined();
  });

  it('misses what a certificate says can be fetched, and no root clients know', () => {
    expect(chainFault(chainOf(leaf))).toBe(
      'lacks the certificate of its issuer, CN=Intermediate; append it (certbot: use fullchain.pem)',
    );
    expect(chainFault(chainOf(leaf, intermediate))).toMatch(/^lacks the certificate of its issuer, CN=Root/);
  });

  it('takes a certificate of a private CA that says nothing of its issuer', async () => {
    expect(chainFault(chainOf(await root.issue()))).toBeUndefined();
  });

  it('takes a self-signed certificate for its own issuer', () => {
    const [pem = ''] = rootCertificates;
    expect(chainFault([new X509Certificate(pem)])).toBeUndefined();
  });

  it('misses an intermediate that the chain before it had, not a root', async () => {
    const [plain, next] = [await root.issue({ name: 'CN=Plain', isCa: true }), await root.issue()];
    const before = chainOf(await plain.issue(), plain, root);
    expect(chainFault(chainOf(await plain.issue()), before)).toMatch(/^lacks .* CN=Plain;/);
    expect(chainFault(chainOf(next), before)).toBeUndefined();
  });

  it('finds a certificate that did not issue the one before it', async () => {
    const impostor = await newCa('CN=Intermediate');
    const fault = 'is no chain: certificate 2 of 2 did not issue the one before it';
    expect(chainFault(chainOf(leaf, impostor))).toBe(fault);
    expect(chainFault(chainOf(leaf, root))).toBe(fault);
    expect(chainFault(chainOf(leaf, intermediate, impostor))).toBe(fault.replace('2 of 2', '3 of 3'));
  });
});
