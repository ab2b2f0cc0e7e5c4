import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ClientConnections } from '../../src/tls/client-connections.js';
import { HttpsClient, type HttpsResponse } from '../support/https-client.js';
import { parseAnswer } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';
import { CLIENT_AUTH, newCa, SERVER_AUTH, type TestCertificate, writePair } from '../support/test-ca.js';

const REQUEST = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n';

let directory: string;
let ca: TestCertificate;
let clients: TestCertificate;
let app: TestApp;
let crlFile: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'client-certificates-'));
  ca = await newCa();
  clients = await newCa('CN=Client CA');
  crlFile = join(directory, 'clients.crl');
  await mkdir(join(directory, 'certs'));
  await writeFile(join(directory, 'certs', 'ca.pem'), ca.pem);
  await writeFile(join(directory, 'clients.pem'), clients.pem);
  await writeFile(crlFile, await clients.revoke([]));
});
afterEach(async () => {
  await app.close();
  await rm(directory, { recursive: true });
});

async function start(auth: string, settings: Record<string, string> = {}): Promise<void> {
  const { certFile, keyFile } = await writePair(directory, [await ca.issue()]);
  app = await newTestApp({
    environment: {
      CERTS_DIR: join(directory, 'certs'),
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
      TLS_CLIENT_AUTH: auth,
      ...(auth === 'off' ? {} : { TLS_CLIENT_CA_FILE: join(directory, 'clients.pem') }),
      ...settings,
    },
  });
}

function newClient(wanted: Parameters<TestCertificate['issue']>[0] = {}): Promise<TestCertificate> {
  return clients.issue({ name: 'CN=billing', usages: [CLIENT_AUTH], ...wanted });
}

function identityOf(certificate: TestCertificate | undefined): { cert: string; key: string } | undefined {
  return certificate && { cert: certificate.pem, key: certificate.key };
}

/** The status of a request with the certificate, or `refused` when no answer comes. */
async function statusWith(certificate: TestCertificate | undefined): Promise<number | 'refused'> {
  const client = new HttpsClient(app.url, ca.pem, identityOf(certificate));
  const response: HttpsResponse | undefined = await client.get('/health/live').catch(() => undefined);
  client.close();
  return response?.status ?? 'refused';
}

async function openConnection(certificate: TestCertificate): Promise<TLSSocket> {
  const port = Number(new URL(app.url).port);
  const socket = connect({ host: '127.0.0.1', port, ca: ca.pem, ...identityOf(certificate) });
  socket.write(REQUEST);
  await once(socket, 'data');
  return socket;
}

const badCertificates: readonly [string, () => Promise<TestCertificate>][] = [
  ['of an unknown CA', async () => (await newCa('CN=Other CA')).issue({ usages: [CLIENT_AUTH] })],
  ['of a CA that only has the name of ours', async () => (await newCa('CN=Client CA')).issue()],
  ['that has expired', () => newClient({ from: -10, to: -1 })],
  ['that is not valid yet', () => newClient({ from: 1 })],
  ['that is for servers only', () => newClient({ usages: [SERVER_AUTH] })],
  ['that is self-signed', () => newCa('CN=billing')],
  [
    'that is revoked',
    async () => {
      const client = await newClient();
      await writeFile(crlFile, await clients.revoke([client]));
      await app.secure.tls.look();
      return client;
    },
  ],
];

describe('where client certificates are required', () => {
  beforeEach(() => start('required', { TLS_CLIENT_CRL_FILE: crlFile }));

  it('lets a client with a good certificate in', async () => {
    expect(await statusWith(await newClient())).toBe(200);
  });

  it('refuses a client without a certificate', async () => {
    expect(await statusWith(undefined)).toBe('refused');
  });

  it.each(badCertificates)('refuses a certificate %s', async (_claim, make) => {
    expect(await statusWith(await make())).toBe('refused');
  });

  it('ends the connections of a client whose certificate is revoked, and no new one begins', async () => {
    const client = await newClient();
    const socket = await openConnection(client);
    await writeFile(crlFile, await clients.revoke([client]));
    await Promise.all([once(socket.resume(), 'close'), app.secure.tls.look()]);
    expect(await statusWith(client)).toBe('refused');
    expect(await statusWith(await newClient())).toBe(200);
  });

  it('answers a request that has just arrived before its connection ends', async () => {
    const begins = jest.spyOn(ClientConnections.prototype, 'requestBegins');
    const socket = await openConnection(await newClient());
    const [connections] = begins.mock.contexts as ClientConnections[];
    begins.mockRestore();
    // In the same turn of the event loop, as when the lists change just then.
    app.nest.getHttpServer().once('request', () => connections?.renew());
    socket.write(REQUEST);
    expect(parseAnswer(await text(socket)).status).toBe(200);
  });

  it('does not take an old session of a client whose certificate is revoked for a new handshake', async () => {
    const client = await newClient();
    const socket = await openConnection(client);
    const session = socket.getSession();
    await writeFile(crlFile, await clients.revoke([client]));
    await Promise.all([once(socket.resume(), 'close'), app.secure.tls.look()]);
    const port = Number(new URL(app.url).port);
    const resumed = connect({ host: '127.0.0.1', port, ca: ca.pem, ...identityOf(client), session });
    resumed.on('error', () => undefined).write(REQUEST);
    const answer: unknown[] = [];
    resumed.on('data', (chunk) => answer.push(chunk));
    await once(resumed, 'close');
    expect(answer).toEqual([]);
  });

  it('keeps the connections of others when only the server certificate changes', async () => {
    const socket = await openConnection(await newClient());
    await writePair(directory, [await ca.issue()]);
    await app.secure.tls.look();
    socket.write(REQUEST);
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 200/);
    socket.destroy();
  });
});

describe('where client certificates are optional', () => {
  beforeEach(() => start('optional', { TLS_CLIENT_CRL_FILE: crlFile }));

  it('lets a client in with a good certificate, or with none', async () => {
    expect(await statusWith(await newClient())).toBe(200);
    expect(await statusWith(undefined)).toBe(200);
  });

  it.each(badCertificates)('refuses a certificate %s, it is not anonymous', async (_claim, make) => {
    expect(await statusWith(await make())).toBe('refused');
  });
});

describe('where client certificates are off', () => {
  it('does not ask for one', async () => {
    await start('off');
    expect(await statusWith(await newClient())).toBe(200);
    expect(app.secure.tls.options.requestCert).toBeUndefined();
  });
});
