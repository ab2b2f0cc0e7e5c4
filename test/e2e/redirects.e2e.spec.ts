import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem, expectSecurityHeaders } from '../support/problems.js';
import { parseAnswer } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

describe('plain HTTP', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await newTestApp({
      environment: {
        HTTP_REDIRECT_PORT: '0',
        PUBLIC_HOSTS: 'api.example.com,localhost,[::1]',
        ISSUER_URL: 'https://api.example.com:8443',
      },
    });
  });
  afterAll(() => app.close());

  function open(port = app.secure.redirects?.port ?? 0): Socket {
    return connect({ host: '127.0.0.1', port });
  }

  async function send(bytes: string): Promise<HttpsResponse> {
    const socket = open();
    socket.write(bytes, 'latin1');
    return parseAnswer(await text(socket));
  }

  function ask(target: string, host: string, method = 'GET', more = ''): Promise<HttpsResponse> {
    return send(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`);
  }

  it.each([
    ['/', 'api.example.com', 'https://api.example.com:8443/'],
    [
      '/v1/contacts?limit=1&cursor=a%20b',
      'api.example.com:80',
      'https://api.example.com:8443/v1/contacts?limit=1&cursor=a%20b',
    ],
    ['/x', 'LOCALHOST', 'https://localhost:8443/x'],
    ['/x', '[::1]:8080', 'https://[::1]:8443/x'],
    ['http://localhost/a?b', 'localhost', 'https://localhost:8443/a?b'],
    ['HTTP://localhost:80/a', 'api.example.com', 'https://localhost:8443/a'],
    ['http://localhost', 'localhost', 'https://localhost:8443/'],
  ])('of %s on %s is sent to %s', async (target, host, location) => {
    const response = await ask(target, host);
    expect(response).toMatchObject({ status: 308, text: '' });
    expect(response.headers).toMatchObject({ location, connection: 'close', 'cache-control': 'no-store' });
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expectSecurityHeaders(response);
    expect(response.headers).not.toHaveProperty('strict-transport-security');
  });

  it.each([
    ['/x', 'evil.example'],
    ['/x', 'api.example.com.evil.example'],
    ['/x', 'api.example.com@evil.example'],
    ['//evil.example/x', 'evil.example'],
    ['/\\evil.example', 'api.example.com'],
    ['/@evil.example', 'api.example.com'],
    ['https://evil.example/x', 'api.example.com'],
    ['http://evil.example/x', 'localhost'],
    ['http://api.example.com//evil.example', 'localhost'],
    ['http://api.example.com@evil.example/x', 'api.example.com'],
    ['/x', 'evil.example\r\nX-Forwarded-Host: evil.example'],
  ])('of %s on %s leads to nobody else', async (target, host) => {
    const response = await ask(target, host);
    expect(response.status).toBe(308);
    expect(new URL(response.headers.location ?? '').host).toBe('api.example.com:8443');
  });

  it('is redirected whatever the method, and nothing is served', async () => {
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
      const body = method === 'POST' ? 'Content-Type: application/json\r\nContent-Length: 2\r\n' : '';
      const response = await ask('/v1/auth/login', 'localhost', method, body);
      expect(response).toMatchObject({ status: 308, text: '' });
    }
    const expecting = await ask('/x', 'localhost', 'POST', 'Expect: 100-continue\r\nContent-Length: 2\r\n');
    expect(expecting.status).toBe(308);
    expectProblem(await ask('localhost:22', 'localhost', 'CONNECT'), 'ERR_METHOD_NOT_ALLOWED');
  });

  it('has the limits of the API', async () => {
    expectProblem(await ask(`/${'x'.repeat(8 * 1024)}`, 'localhost'), 'ERR_URI_TOO_LONG');
    expectProblem(await ask('/', 'localhost', 'GET', 'A: b\r\n'.repeat(100)), 'ERR_HEADERS_TOO_LARGE');
    expectProblem(
      await ask('/', 'localhost', 'GET', `A: ${'x'.repeat(16 * 1024)}\r\n`),
      'ERR_HEADERS_TOO_LARGE',
    );
    expectProblem(await send('GET / HTTP/1.1\r\n\r\n'), 'ERR_MALFORMED_REQUEST');
    expectProblem(await send('PLAY / RTSP/1.0\r\nHost: localhost\r\n\r\n'), 'ERR_MALFORMED_REQUEST');
    expectProblem(await ask('/', 'localhost\r\nHost: evil.example'), 'ERR_MALFORMED_REQUEST');
    expectProblem(await send('GET / HTTP/1.1\nHost: localhost\n\n'), 'ERR_MALFORMED_REQUEST');
    expectProblem(await send('\u0016\u0003\u0001\u0002'), 'ERR_MALFORMED_REQUEST');
  });

  it("gets nothing on the API's port, which is closed", async () => {
    const socket = open(Number(new URL(app.url).port));
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await text(socket).catch(() => '')).not.toMatch(/HTTP|\{/);
  });

  it('is not listened for unless it is asked for', async () => {
    const other = await app.newInstance({ HTTP_REDIRECT_PORT: '' });
    expect(other.secure.redirects).toBeUndefined();
    await other.close();
  });

  it('stops the start when its port is taken, naming the variable', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const { port } = occupant.address() as AddressInfo;
    const refused = newTestApp({ environment: { HTTP_REDIRECT_PORT: String(port) } });
    await expect(refused).rejects.toMatchObject({
      name: 'StartError',
      message: `port ${port} on 127.0.0.1 is in use: stop the other process or set HTTP_REDIRECT_PORT`,
    });
    occupant.close();
  });

  it('is no longer taken when the server stops, also where a client has a connection open', async () => {
    const stopping = await app.newInstance();
    const port = stopping.secure.redirects?.port ?? 0;
    const idle = open(port);
    await once(idle, 'connect');
    await Promise.all([
      stopping.close(),
      once(
        idle.resume().on('error', () => {}),
        'close',
      ),
    ]);
    const [refusal] = (await once(open(port), 'error')) as [NodeJS.ErrnoException];
    expect(refusal.code).toBe('ECONNREFUSED');
  });
});
