import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listen, SecondAddress } from '../../src/app.listen.js';
import { HttpsClient } from '../support/https-client.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

/** Of documentation (RFC 3849): no machine has it, with IPv6 or without. */
const ABSENT_ADDRESS = '2001:db8::1';

const hasIpv6 = Object.values(networkInterfaces()).some((found) =>
  found?.some(({ address }) => address === '::1'),
);
const second = hasIpv6 ? '::1' : '127.0.0.2';

describe('a server on localhost', () => {
  let app: TestApp;
  let port: number;
  beforeAll(async () => {
    app = await newTestApp({ environment: { HOST: 'localhost' } });
    port = Number(new URL(app.url).port);
    if (!hasIpv6) await app.secure.secondAddress.listen(port, second);
  });
  afterAll(() => app.close());

  it('answers on both loopback addresses', async () => {
    const client = new HttpsClient(`https://${hasIpv6 ? '[::1]' : second}:${port}`, app.ca);
    expect((await app.get('/health/live')).status).toBe(200);
    expect((await client.get('/health/live')).status).toBe(200);
    client.close();
  });

  it('is one server, whatever address a connection comes to', async () => {
    const socket = connect({ host: second, port, ca: app.ca, servername: 'localhost' });
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    app.nest.getHttpServer().closeAllConnections();
    await once(socket, 'close');
    expect((await app.get('/health/live')).status).toBe(200);
  });

  it('stops on both', async () => {
    const stopping = await newTestApp();
    await stopping.secure.secondAddress.listen(Number(new URL(stopping.url).port), second);
    await stopping.close();
    const late = connect({ host: second, port: Number(new URL(stopping.url).port) });
    expect(await once(late, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  });

  it('does without the second where the machine has none', async () => {
    expect(await app.secure.secondAddress.listen(port, ABSENT_ADDRESS)).toBe(false);
    expect((await app.get('/health/live')).status).toBe(200);
  });

  it('is refused when another process has the port on one of them', async () => {
    const occupant = createServer().listen(0, second);
    await once(occupant, 'listening');
    const { port: taken } = occupant.address() as AddressInfo;
    await expect(app.secure.secondAddress.listen(taken, second)).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    occupant.close();
  });
});

describe('listening', () => {
  it.each([
    [
      'a port below 1024 without the right',
      'EACCES',
      'port 443 on host needs a right this user lacks: set PORT to 1024 or above',
    ],
    ['a port that is taken', 'EADDRINUSE', 'port 443 on host is in use: stop the other process or set PORT'],
    ['an address of another machine', 'EADDRNOTAVAIL', 'address host is not on this machine: set HOST'],
    ['an IPv6 address without IPv6', 'EAFNOSUPPORT', 'address host is not on this machine: set HOST'],
    ['an unknown name', 'ENOTFOUND', 'host name host is not known: set HOST'],
    ['anything else', 'EMFILE', 'cannot listen on port 443 of host (EMFILE)'],
  ])('says what to do about %s', async (_claim, code, message) => {
    const server = { listen: async () => Promise.reject(Object.assign(new Error('refused'), { code })) };
    const refused = listen({
      nest: server as unknown as TestApp['nest'],
      secondAddress: undefined as unknown as SecondAddress,
      config: { server: { host: 'host', port: 443 } },
    });
    await expect(refused).rejects.toMatchObject({ name: 'StartError', message });
  });
});
