import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Build } from '../support/built-server.js';
import { shakeHands } from '../support/handshake.js';
import { environmentIn, newTestApp, type TestApp } from '../support/test-app.js';
import { newCa, type TestCertificate, writePair } from '../support/test-ca.js';

const tls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

/** Offers whose answers together show a server's versions, groups and suites. */
const offers: Readonly<Record<string, ConnectionOptions>> = {
  defaults: {},
  ...Object.fromEntries(
    ['X25519', 'prime256v1', 'secp384r1', 'secp521r1', 'X448', 'SecP256r1MLKEM768'].map((group) => [
      group,
      { ecdhCurve: group },
    ]),
  ),
  'TLS 1.1': { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
  ...Object.fromEntries(
    [
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES128-SHA256',
      'ECDHE-ECDSA-AES256-CCM',
    ].map((suite) => [suite, { ciphers: suite, ...tls12 }]),
  ),
  'h2 only': { ALPNProtocols: ['h2'] },
};

let directory: string;
let ca: TestCertificate;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-reload-'));
  await mkdir(join(directory, 'certs'));
  ca = await newCa();
  await writeFile(join(directory, 'certs', 'ca.pem'), ca.pem);
});
afterEach(() => rm(directory, { recursive: true }));

async function renew(): Promise<{ serialNumber: string; environment: Record<string, string> }> {
  const certificate = await ca.issue();
  const { certFile, keyFile } = await writePair(join(directory, 'certs'), [certificate]);
  const { serialNumber } = certificate;
  return { serialNumber, environment: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } };
}

describe('a new certificate', () => {
  let app: TestApp;
  afterEach(() => app.close());

  async function start(environment: Record<string, string>): Promise<void> {
    const certificates = { CERTS_DIR: join(directory, 'certs'), DATA_DIR: join(directory, 'data') };
    app = await newTestApp({ environment: { ...certificates, ...environment } });
  }

  async function answers(): Promise<Record<string, unknown>> {
    const entries = Object.entries(offers).map(async ([name, offer]) => {
      const answer = await shakeHands(app.url, { ca: ca.pem, ...offer });
      return [name, typeof answer === 'string' ? answer : { ...answer, serialNumber: undefined }];
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  it.each(['intermediate', 'modern'])(
    'is served with the versions, groups and suites of the old one, in the %s profile',
    async (profile) => {
      const { serialNumber, environment } = await renew();
      await start({ ...environment, TLS_PROFILE: profile });
      const before = await answers();
      expect(before['defaults']).toMatchObject({ protocol: 'TLSv1.3', group: 'X25519MLKEM768' });
      expect(before['secp521r1']).toMatch(/HANDSHAKE_FAILURE/);
      const renewed = await renew();
      expect(renewed.serialNumber).not.toBe(serialNumber);
      await app.secure.tls.look();
      expect(await shakeHands(app.url, { ca: ca.pem })).toMatchObject({ serialNumber: renewed.serialNumber });
      expect(await answers()).toEqual(before);
    },
  );

  it('is served on both addresses of localhost', async () => {
    await start({ ...(await renew()).environment, HOST: 'localhost' });
    const { port } = new URL(app.url);
    const hasIpv6 = Object.values(networkInterfaces()).some((found) =>
      found?.some(({ address }) => address === '::1'),
    );
    const { serialNumber } = await renew();
    await app.secure.tls.look();
    for (const host of ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])]) {
      expect(await shakeHands(`https://${host}:${port}`, { ca: ca.pem })).toMatchObject({ serialNumber });
    }
  });

  it('is served after requests over a connection that goes on under the old one', async () => {
    await start((await renew()).environment);
    expect((await app.get('/health/live')).status).toBe(200);
    await renew();
    await app.secure.tls.look();
    expect((await app.get('/health/live')).status).toBe(200);
  });
});

describe('a running server', () => {
  let build: Build;
  beforeAll(async () => {
    build = await Build.create();
  });
  afterAll(() => build.remove());

  it('reads its files again on SIGHUP, and logs a bad pair once', async () => {
    const { environment } = await renew();
    const server = build.run('main.js', [], {
      ...environmentIn(directory),
      ...environment,
      LOG_LEVEL: 'info',
    });
    const url = (await server.url()) ?? '';
    const { serialNumber } = await renew();
    server.signal('SIGHUP');
    await server.says('new TLS files are served');
    expect(await shakeHands(url, { ca: ca.pem })).toMatchObject({ serialNumber });

    await writeFile(environment['TLS_KEY_FILE'] ?? '', (await ca.issue()).key);
    server.signal('SIGHUP');
    await server.says('new TLS files are refused');
    expect(await shakeHands(url, { ca: ca.pem })).toMatchObject({ serialNumber });
    await renew();
    server.signal('SIGHUP');
    await server.says('new TLS files are served', 2);
    expect(await server.stop()).toBe(0);
    const errors = server.output.split('\n').filter((line) => line.includes('"level":"error"'));
    expect(errors).toEqual([expect.stringContaining('does not belong to the certificate')]);
    expect(server.output).not.toContain('PRIVATE KEY');
  });

  it('goes on with its start when SIGHUP comes before it listens', async () => {
    const database = createServer((socket) => {
      server.signal('SIGHUP');
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(database, 'listening');
    const { port } = database.address() as AddressInfo;
    const server = build.run('main.js', [], {
      ...environmentIn(directory),
      ...(await renew()).environment,
      DATABASE_URL: `postgres://user@127.0.0.1:${port}/app`,
    });
    const code = await server.exitCode();
    database.close();
    expect(code).toBe(1);
    expect(server.output).toMatch(/^cannot start: database .* cannot be reached/);
  });

  it.each([
    [21.5, 1],
    [22.5, 0],
  ])('warns of a certificate that is good for %d days when it starts: %d times', async (to, times) => {
    const files = await writePair(join(directory, 'certs'), [await ca.issue({ to })]);
    const server = build.run('main.js', [], {
      ...environmentIn(directory),
      TLS_CERT_FILE: files.certFile,
      TLS_KEY_FILE: files.keyFile,
      LOG_LEVEL: 'info',
    });
    await server.url();
    expect(await server.stop()).toBe(0);
    const warnings = server.output.split('\n').filter((line) => line.includes('expires soon'));
    expect(warnings).toHaveLength(times);
    for (const line of warnings)
      expect(JSON.parse(line)).toMatchObject({ level: 'warn', certificateDaysLeft: 21 });
  });

  it('says in its start line how it speaks TLS and until when its certificate is good', async () => {
    const server = build.run('main.js', [], {
      ...environmentIn(directory),
      ...(await renew()).environment,
      LOG_LEVEL: 'info',
    });
    await server.url();
    expect(await server.stop()).toBe(0);
    const line = server.output.split('\n').find((text) => text.includes('"listening"')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      tls: { profile: 'intermediate', preferredGroup: 'X25519MLKEM768', clientAuth: 'off' },
      certificateExpires: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      certificateDaysLeft: 89,
    });
  });
});
