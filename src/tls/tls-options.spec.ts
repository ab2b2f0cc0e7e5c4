import { constants, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, get, type Server, type ServerOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureDevelopmentCertificates } from './development-certificates.js';
import { errorCode } from '../common/error-code.js';
import { loadServerCertificate, type ServerCertificate } from './server-certificate.js';
import { tlsOptions } from './tls-options.js';

let directory: string;
let ca: Buffer;
let certificate: ServerCertificate;
const servers: Server[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-options-'));
  const now = new Date();
  const files = await ensureDevelopmentCertificates({ directory, now });
  ca = await readFile(files.caFile);
  certificate = loadServerCertificate({ ...files, now, production: false });
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function listen(options: ServerOptions, host = '127.0.0.1'): Promise<Server> {
  const server = createServer(options, (_request, response) => response.end('hello'));
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

function port(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no TCP address');
  return address.port;
}

/** What a handshake comes to: the socket's view of it, or the code of the error. */
async function handshake(server: Server, options: ConnectionOptions = {}) {
  const socket = connect({ port: port(server), host: '127.0.0.1', servername: 'localhost', ca, ...options });
  try {
    await once(socket, 'secureConnect');
    const ephemeral = socket.getEphemeralKeyInfo();
    return {
      protocol: socket.getProtocol(),
      suite: socket.getCipher().name,
      group: ephemeral !== null && 'name' in ephemeral ? ephemeral.name : undefined,
      alpn: socket.alpnProtocol,
    };
  } catch (error) {
    return errorCode(error);
  } finally {
    socket.destroy();
  }
}

const tls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const REFUSED = expect.stringMatching(/^ERR_SSL_.*ALERT_(HANDSHAKE_FAILURE|PROTOCOL_VERSION)$/);

describe('tlsOptions', () => {
  it.each([
    ['localhost', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '::1'],
  ])('serves https://%s to a client that trusts only the development CA', async (host, address) => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }), address);
    // family 4 for localhost, since the server listens on one address only
    const request = get(`https://${host}:${port(server)}/`, {
      ca,
      ...(address === '::1' ? {} : { family: 4 }),
    });
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
    await once(response, 'end');
  });

  it('is refused by a client that does not trust the development CA', async () => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }));
    expect(await handshake(server, { ca: [] })).toBe('SELF_SIGNED_CERT_IN_CHAIN');
  });

  it('agrees on a post-quantum hybrid group and TLS 1.3 with a client that takes defaults', async () => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }));
    expect(await handshake(server)).toMatchObject({ protocol: 'TLSv1.3', group: 'X25519MLKEM768' });
  });

  it.each([
    ['X25519', 'X25519'],
    ['P-256', 'prime256v1'],
    ['P-384', 'secp384r1'],
  ])('agrees on %s with a client that offers nothing else', async (offered, group) => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }));
    expect(await handshake(server, { ecdhCurve: offered })).toMatchObject({ group });
  });

  it.each([
    ['P-521 under TLS 1.3', { ecdhCurve: 'P-521' }],
    ['P-521 under TLS 1.2', { ecdhCurve: 'P-521', ...tls12 }],
    ['X448', { ecdhCurve: 'X448' }],
    ['SecP256r1MLKEM768', { ecdhCurve: 'SecP256r1MLKEM768' }],
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['a CBC suite', { ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA', ...tls12 }],
    ['a CCM suite', { ciphers: 'ECDHE-ECDSA-AES128-CCM', ...tls12 }],
    ['an ARIA suite', { ciphers: 'ECDHE-ARIA256-GCM-SHA384:ECDHE-ECDSA-ARIA256-GCM-SHA384', ...tls12 }],
    ['the TLS 1.3 CCM suite', { ciphers: 'TLS_AES_128_CCM_SHA256', minVersion: 'TLSv1.3' }],
  ] satisfies [string, ConnectionOptions][])('refuses a client that offers only %s', async (_name, offer) => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }));
    expect(await handshake(server, offer)).toEqual(REFUSED);
  });

  it.each([
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
  ])('agrees on %s under TLS 1.2', async (suite) => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }));
    expect(await handshake(server, { ciphers: suite, ...tls12 })).toMatchObject({
      protocol: 'TLSv1.2',
      suite,
    });
  });

  it.each([
    ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384'],
    ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
    ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384'],
  ])('takes %s of a client that offers %s, in either profile', async (suite, ciphers) => {
    for (const profile of ['intermediate', 'modern'] as const) {
      const server = await listen(tlsOptions(certificate, { profile }));
      expect(await handshake(server, { ciphers })).toMatchObject({ suite });
    }
  });

  it('refuses TLS 1.2 in the modern profile', async () => {
    const server = await listen(tlsOptions(certificate, { profile: 'modern' }));
    expect(await handshake(server, tls12)).toEqual(REFUSED);
    expect(await handshake(server)).toMatchObject({ protocol: 'TLSv1.3', group: 'X25519MLKEM768' });
  });

  it('takes http/1.1 and refuses a client that speaks only other protocols', async () => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }));
    expect(await handshake(server, { ALPNProtocols: ['h2', 'http/1.1'] })).toMatchObject({
      alpn: 'http/1.1',
    });
    expect(await handshake(server, { ALPNProtocols: ['h2'] })).toBe(
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    );
  });

  it('refuses to renegotiate under TLS 1.2', async () => {
    const server = await listen(tlsOptions(certificate, { profile: 'intermediate' }));
    const socket: TLSSocket = connect({ port: port(server), servername: 'localhost', ca, ...tls12 });
    await once(socket, 'secureConnect');
    const failed = once(socket, 'error');
    socket.renegotiate({}, () => undefined);
    const [error] = await failed;
    expect(error.code).toBe('ERR_SSL_NO_RENEGOTIATION');
    socket.destroy();
  });

  it('gives up a handshake that stalls, after ten seconds at most', async () => {
    const options = tlsOptions(certificate, { profile: 'intermediate' });
    expect(options.handshakeTimeout).toBe(10_000);
    const server = await listen({ ...options, handshakeTimeout: 50 });
    const failed = once(server, 'tlsClientError');
    const socket = connectTcp(port(server), '127.0.0.1');
    const [[error]] = await Promise.all([failed, once(socket, 'close')]);
    expect(error.code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT');
  });

  it('keeps every limit when the same options are applied to a running server', async () => {
    const server = await listen(tlsOptions(certificate, { profile: 'modern' }));
    server.setSecureContext(tlsOptions(certificate, { profile: 'modern' }));
    expect(await handshake(server, tls12)).toEqual(REFUSED);
    expect(await handshake(server, { ecdhCurve: 'P-521' })).toEqual(REFUSED);
    expect(await handshake(server)).toMatchObject({ protocol: 'TLSv1.3', group: 'X25519MLKEM768' });
  });

  it('decrypts an encrypted private key with its passphrase', async () => {
    const passphrase = 'a passphrase of this test';
    const key = createPrivateKey(certificate.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase,
    });
    const options = tlsOptions(
      { cert: certificate.cert, key: Buffer.from(key), passphrase },
      { profile: 'modern' },
    );
    expect(await handshake(await listen(options))).toMatchObject({ protocol: 'TLSv1.3' });
  });

  it('holds no option that weakens the handshake', () => {
    const options = tlsOptions(certificate, { profile: 'intermediate' });
    expect(options.ciphers).not.toMatch(/CBC|CCM|ARIA|DHE-RSA-AES\d+-SHA\b|:DHE|@SECLEVEL|!|\+/);
    expect(options.secureOptions).toBe(
      constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
    );
  });
});
