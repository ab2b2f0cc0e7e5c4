import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { expectProblem, expectSecurityHeaders } from '../support/problems.js';
import { sendRaw } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const HEADERS_LIMIT_BYTES = 16 * 1024;

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

    it('goes on serving others afterwards', async () => {
      expect((await app.get('/health/live')).body).toEqual({ status: 'ok' });
    });
  });
});
