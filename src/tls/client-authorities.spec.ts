import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newCa, type TestCertificate } from '../../test/support/test-ca.js';
import { StartError } from '../common/start-error.js';
import { loadClientAuthorities } from './client-authorities.js';

let directory: string;
let ca: TestCertificate;
let other: TestCertificate;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'client-authorities-'));
  ca = await newCa('CN=Client CA');
  other = await newCa('CN=Other CA');
});
afterAll(() => rm(directory, { recursive: true }));

/** What loading comes to, with the paths left out of it. */
async function outcome(bundle: string, lists?: string, production = true): Promise<string> {
  const caFile = join(directory, 'ca.pem');
  const crlFile = lists === undefined ? undefined : join(directory, 'ca.crl');
  await writeFile(caFile, bundle);
  if (crlFile !== undefined) await writeFile(crlFile, lists ?? '');
  try {
    const options = { auth: 'required', caFile, crlFile, now: new Date(), production } as const;
    const { crl } = await loadClientAuthorities(options);
    return `${crl?.length ?? 'no'} lists`;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return error.message.replaceAll(`${directory}/`, '');
  }
}

describe('loadClientAuthorities', () => {
  it('takes several CAs, and a list of each', async () => {
    expect(await outcome(ca.pem + other.pem)).toBe('no lists');
    expect(await outcome(ca.pem + other.pem, (await ca.revoke([])) + (await other.revoke([])))).toBe(
      '2 lists',
    );
  });

  it('refuses a certificate that is not of a CA, and what is no certificate', async () => {
    expect(await outcome((await ca.issue()).pem)).toBe(
      'TLS client CA ca.pem holds a certificate that is not of a CA; remove it',
    );
    expect(await outcome('hello')).toMatch(/^TLS client CA ca\.pem holds no PEM certificate/);
    expect(await outcome('')).toMatch(/^TLS client CA ca\.pem is empty/);
  });

  it('refuses a development CA in production only', async () => {
    const development = await newCa('CN=development CA, O=For development only');
    expect(await outcome(development.pem)).toMatch(/^TLS client CA ca\.pem is a development CA/);
    expect(await outcome(development.pem, undefined, false)).toBe('no lists');
  });

  it('refuses lists that would lock every client of a CA out, or are none', async () => {
    expect(await outcome(ca.pem + other.pem, await ca.revoke([]))).toBe(
      'TLS client CRL ca.crl has no list of CN=Other CA; append it',
    );
    expect(await outcome(ca.pem, await ca.revoke([], -1))).toBe(
      'TLS client CRL ca.crl has an outdated list of CN=Client CA; fetch it anew',
    );
    expect(await outcome(ca.pem, await ca.revoke([], 7, 1))).toBe(
      "TLS client CRL ca.crl has a list of CN=Client CA that is not valid yet; check this machine's clock",
    );
    const impostor = await newCa('CN=Client CA');
    expect(await outcome(ca.pem, await impostor.revoke([]))).toMatch(/has no list of CN=Client CA/);
    expect(await outcome(ca.pem, ca.pem)).toMatch(/^TLS client CRL ca\.crl holds no PEM list/);
    const damaged = (await ca.revoke([])).replace(/\nMI../, '\nAAAA');
    expect(await outcome(ca.pem, damaged)).toBe('TLS client CRL ca.crl cannot be parsed at list 1 of 1');
  });

  it('refuses a bundle with which no client gets in: all expired, not valid yet, or without a root', async () => {
    const old = await newCa('CN=Old', { from: -9, to: -1 });
    const next = await newCa('CN=Next', { from: 1 });
    const intermediate = await ca.issue({ name: 'CN=Intermediate', isCa: true });
    const noneIsValid = 'TLS client CA ca.pem holds no CA that is valid now; fetch it anew';
    expect(await outcome(old.pem)).toBe(noneIsValid);
    expect(await outcome(old.pem + next.pem)).toBe(noneIsValid);
    const noRoot =
      'TLS client CA ca.pem holds intermediates only, or a root that is not valid now; append their root';
    expect(await outcome(intermediate.pem)).toBe(noRoot);
    expect(await outcome(intermediate.pem + old.pem)).toBe(noRoot);
    expect(await outcome(intermediate.pem + ca.pem)).toBe('no lists');
    expect(await outcome(ca.pem + old.pem)).toBe('no lists');
  });
});
