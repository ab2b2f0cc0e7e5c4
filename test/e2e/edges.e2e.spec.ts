import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem, expectSecurityHeaders } from '../support/problems.js';
import { sendRaw } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const HEADERS_LIMIT_BYTES = 16 * 1024;
const URL_LIMIT_BYTES = 8 * 1024;
const HOST = 'Host: localhost\r\n';
const LOGIN = `POST /v1/auth/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
const CHUNKED_BODY = '\r\n2\r\n{}\r\n0\r\n\r\n';

describe('the edge', () => {
  let app: TestApp;
  let user: Account;
  beforeAll(async () => {
    app = await newTestApp();
    user = await newAccount(app);
  });
  afterAll(() => app.close());

  describe('every answer', () => {
    it('carries a request id of its own and the security headers, successes too', async () => {
      const paths = [
        '/',
        '/health/live',
        '/health/ready',
        '/.well-known/jwks.json',
        '/v1/contacts',
        '/openapi.json',
      ];
      const responses = await Promise.all(paths.map((path) => app.get(path, user.token)));
      for (const response of responses) {
        expect(response.status).toBe(200);
        expectSecurityHeaders(response);
      }
      const ids = new Set(responses.map(({ headers }) => headers['x-request-id']));
      expect(ids.size).toBe(paths.length);
    });

    it('does not take the request id of the caller', async () => {
      const id = '11111111-2222-4333-8444-555555555555';
      const { headers } = await app.request('GET', '/health/live', {
        headers: { 'x-request-id': id, 'request-id': id },
      });
      expect(headers['x-request-id']).not.toBe(id);
    });

    it('is not to be stored under /v1, refusals included', async () => {
      for (const path of ['/v1/contacts', '/v1/users/me', '/v1/nothing', '/v1/contacts/x']) {
        expect((await app.get(path, user.token)).headers['cache-control']).toBe('no-store');
        expect((await app.get(path)).headers['cache-control']).toBe('no-store');
      }
      expect((await app.get('/v1/secrets/%')).headers['cache-control']).toBe('no-store');
      expect((await app.get('/%761/contacts', user.token)).headers['cache-control']).toBe('no-store');
    });

    it('is the usual one to an expectation that nobody knows', async () => {
      const response = await app.request('GET', '/health/live', { headers: { expect: 'the-unexpected' } });
      expect(response.status).toBe(200);
    });

    it('gives no cross-origin caller leave', async () => {
      const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
      for (const method of ['GET', 'OPTIONS']) {
        const response = await app.request(method, '/v1/contacts', { headers });
        expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control-'))).toEqual(
          [],
        );
      }
    });
  });

  function askingFor(host: string, more = ''): Promise<HttpsResponse> {
    return sendRaw(app, `GET /health/live HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`);
  }

  function aimedAt(target: string): Promise<HttpsResponse> {
    return sendRaw(app, `GET ${target} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
  }

  describe('a Host', () => {
    it.each([
      ['localhost'],
      ['localhost:1'],
      ['LOCALHOST'],
      ['127.0.0.1:3443'],
      ['[::1]'],
      ['issuer.example.test'],
    ])('of this server is served: %s', async (host) => {
      expect((await askingFor(host)).status).toBe(200);
    });

    it.each([
      ['evil.example'],
      ['localhost.evil.example'],
      ['evil.example:3443'],
      ['localhost@evil.example'],
      ['127.0.0.2'],
      ['[::2]'],
      ['169.254.169.254'],
    ])('of another server is answered with 421 and closed: %s', async (host) => {
      const response = await askingFor(host);
      expectProblem(response, 'ERR_MISDIRECTED_REQUEST');
      expect(response.headers.connection).toBe('close');
    });

    it('counts in an absolute target too, which is ours or refused', async () => {
      expect((await aimedAt('https://localhost/health/live')).body).toEqual({ status: 'ok' });
      expect((await aimedAt('HTTPS://127.0.0.1:3443/v1/contacts')).headers['cache-control']).toBe('no-store');
      for (const target of ['https://evil.example/health/live', 'https://localhost@evil.example/']) {
        const refused = await aimedAt(target);
        expectProblem(refused, 'ERR_MISDIRECTED_REQUEST');
        expect(refused.headers.connection).toBe('close');
      }
    });

    it('is not taken from what a proxy would say', async () => {
      const forwarded = 'X-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n';
      const response = await askingFor('evil.example', forwarded);
      expectProblem(response, 'ERR_MISDIRECTED_REQUEST');
    });
  });

  describe('the HTTP parser', () => {
    it.each([
      ['a request line that is none', 'hello\r\n\r\n'],
      ['an unknown method', 'FROB / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
      ['no version', 'GET /health/live\r\n\r\n'],
      ['a version that is none', 'GET /health/live HTTP/9.9\r\nHost: localhost\r\n\r\n'],
      ['no Host', 'GET /health/live HTTP/1.1\r\n\r\n'],
      ['a header without a colon', 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nbroken\r\n\r\n'],
      ['a NUL in a header', 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nA: \u0000\r\n\r\n'],
      [
        'two lengths',
        'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      ],
      [
        'a length and chunks',
        'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['a negative length', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n'],
      [
        'a chunk that is none',
        'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      ],
      ['a space in the path', 'GET /health /live HTTP/1.1\r\nHost: localhost\r\n\r\n'],
      ['an empty Host', 'GET /health/live HTTP/1.1\r\nHost:\r\n\r\n'],
      ['a Host twice', `GET /health/live HTTP/1.1\r\n${HOST}${HOST}\r\n`],
      ['two Hosts', `GET /health/live HTTP/1.1\r\n${HOST}Host: evil.example\r\n\r\n`],
      ['HTTP/0.9 with a version', `GET /health/live HTTP/0.9\r\n${HOST}\r\n`],
      ['HTTP/1.0 without Host', 'GET /health/live HTTP/1.0\r\n\r\n'],
      ['HTTP/2.0 in a request line', `GET /health/live HTTP/2.0\r\n${HOST}\r\n`],
      ["HTTP/2's preface", 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['RTSP', `DESCRIBE rtsp://localhost/x RTSP/1.0\r\n${HOST}\r\n`],
      ['a method of RTSP on a path', `PLAY /health/live RTSP/1.1\r\n${HOST}\r\n`],
      ['an absolute target that is not https', `GET http://localhost/health/live HTTP/1.1\r\n${HOST}\r\n`],
      ['a folded header', `GET /health/live HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`],
      ['lines that end in LF', 'GET /health/live HTTP/1.1\nHost: localhost\n\n'],
      ['one line that ends in LF', 'GET /health/live HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n'],
      ['a CR in a header', `GET /health/live HTTP/1.1\r\n${HOST}A: b\rC: d\r\n\r\n`],
      ['a space before a colon', `GET /health/live HTTP/1.1\r\n${HOST}A : b\r\n\r\n`],
      ['one length twice', `${LOGIN}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
      ['a list of lengths', `${LOGIN}Content-Length: 2, 2\r\n\r\n{}`],
      ['a length with a sign', `${LOGIN}Content-Length: +2\r\n\r\n{}`],
      ['chunks of another coding', `${LOGIN}Transfer-Encoding: gzip, chunked\r\n${CHUNKED_BODY}`],
      ['a coding that only looks like chunks', `${LOGIN}Transfer-Encoding: xchunked\r\n${CHUNKED_BODY}`],
      ['chunks twice', `${LOGIN}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n${CHUNKED_BODY}`],
      ['no coding by name', `${LOGIN}Transfer-Encoding: identity\r\n\r\n{}`],
      ['chunks in HTTP/1.0', `${LOGIN.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n${CHUNKED_BODY}`],
      ['a chunk size that ends in LF', `${LOGIN}Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n`],
      ['a chunk longer than it says', `${LOGIN}Transfer-Encoding: chunked\r\n\r\n2\r\n{}x0\r\n\r\n`],
    ])('answers %s with a problem document and closes', async (_claim, bytes) => {
      const response = await sendRaw(app, bytes);
      expectProblem(response, 'ERR_MALFORMED_REQUEST');
      expect(response.headers.connection).toBe('close');
      expect(Number(response.headers['content-length'])).toBe(Buffer.byteLength(response.text));
    });

    it('answers header fields of more than 16 KiB with 431', async () => {
      const field = `X-Large: ${'x'.repeat(HEADERS_LIMIT_BYTES)}`;
      const response = await sendRaw(app, `GET /health/live HTTP/1.1\r\nHost: localhost\r\n${field}\r\n\r\n`);
      expectProblem(response, 'ERR_HEADERS_TOO_LARGE');
    });

    it('answers a target of more than 8 KiB with 414, whatever is at its path', async () => {
      for (const path of ['/health/live?', '/v1/nothing?']) {
        const longest = path.padEnd(URL_LIMIT_BYTES, 'x');
        const response = await app.get(`${longest}x`);
        expectProblem(response, 'ERR_URI_TOO_LONG');
        expect((await app.get(longest)).status).not.toBe(414);
      }
      const long = `GET /health/live?${'x'.repeat(HEADERS_LIMIT_BYTES)} HTTP/1.1\r\n${HOST}\r\n`;
      expectProblem(await sendRaw(app, long), 'ERR_URI_TOO_LONG');
    });

    it.each([
      ['of one name', 'A: b\r\n', 100],
      ['without values', 'A:\r\n', 3_000],
    ])('answers more than 100 header fields with 431 and drops none: %s', async (_claim, field, count) => {
      const request = `GET /health/live HTTP/1.1\r\n${field.repeat(count)}${HOST}\r\n`;
      const response = await sendRaw(app, request);
      expectProblem(response, 'ERR_HEADERS_TOO_LARGE');
      expect(response.headers.connection).toBe('close');
    });

    it('takes 100 header fields', async () => {
      const fields = `${HOST}Connection: close\r\n${'A: b\r\n'.repeat(98)}`;
      expect((await sendRaw(app, `GET /health/live HTTP/1.1\r\n${fields}\r\n`)).status).toBe(200);
    });

    it('answers CONNECT with 405 and closes, and TRACE as any method that a path does not take', async () => {
      const tunnel = await sendRaw(app, `CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`);
      expectProblem(tunnel, 'ERR_METHOD_NOT_ALLOWED');
      expect(tunnel.headers).toMatchObject({ allow: 'GET, HEAD', connection: 'close' });
      const trace = await app.request('TRACE', '/health/live', { headers: { 'x-secret': 'hunter2' } });
      expectProblem(trace, 'ERR_METHOD_NOT_ALLOWED');
      expect(trace.text).not.toContain('hunter2');
      expectProblem(await app.request('TRACE', '/nothing'), 'ERR_NOT_FOUND');
    });

    it('goes on serving others afterwards', async () => {
      expect((await app.get('/health/live')).body).toEqual({ status: 'ok' });
    });
  });
});
