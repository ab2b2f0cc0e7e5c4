import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem, expectSecurityHeaders } from '../support/problems.js';
import { sendRaw } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const ORIGIN = 'https://app.example.com';

function grants({ headers }: HttpsResponse): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));
}

describe('a script of another origin', () => {
  let app: TestApp;
  let user: Account;
  beforeAll(async () => {
    app = await newTestApp({ environment: { CORS_ORIGINS: `${ORIGIN}, http://localhost:5173` } });
    user = await newAccount(app);
  });
  afterAll(() => app.close());

  function ask(method: string, origin: string, more: Record<string, string> = {}): Promise<HttpsResponse> {
    return app.request(method, '/v1/contacts', { token: user.token, headers: { origin, ...more } });
  }

  it('may read answers when its origin is listed, refusals too', async () => {
    for (const response of [await ask('GET', ORIGIN), await ask('DELETE', ORIGIN)]) {
      expect(grants(response)).toEqual({
        'access-control-allow-origin': ORIGIN,
        'access-control-expose-headers': 'etag, location, retry-after, www-authenticate, x-request-id',
      });
      expectSecurityHeaders(response);
    }
    expect(grants(await ask('GET', 'http://localhost:5173'))).toHaveProperty(
      'access-control-allow-origin',
      'http://localhost:5173',
    );
  });

  it.each([
    ['https://evil.example'],
    ['null'],
    [`${ORIGIN}.evil.example`],
    ['https://evil-app.example.com'],
    ['https://sub.app.example.com'],
    ['http://app.example.com'],
    [`${ORIGIN}:8443`],
    [`${ORIGIN}/`],
    ['HTTPS://APP.EXAMPLE.COM'],
    [`${ORIGIN}, https://evil.example`],
    ['*'],
    [''],
  ])('may not when its origin is %j', async (origin) => {
    expect(grants(await ask('GET', origin))).toEqual({});
    const preflight = await ask('OPTIONS', origin, { 'access-control-request-method': 'POST' });
    expect(grants(preflight)).toEqual({});
    expectProblem(preflight, 'ERR_METHOD_NOT_ALLOWED');
  });

  it('learns what it may send', async () => {
    const preflight = await ask('OPTIONS', ORIGIN, {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-anything',
    });
    expect(preflight.status).toBe(204);
    expect(grants(preflight)).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'authorization, content-type, if-match, if-none-match',
      'access-control-max-age': '7200',
    });
    expectSecurityHeaders(preflight);
  });

  it.each([['https://localhost/v1/contacts'], ['/v1/%63ontacts']])(
    'learns the same of a path that is spelled in another way: %s',
    async (path) => {
      const headers = { origin: ORIGIN, 'access-control-request-method': 'GET', host: 'localhost' };
      const preflight = await app.request('OPTIONS', path, { headers });
      expect(preflight.status).toBe(204);
      expect(grants(preflight)).toHaveProperty('access-control-allow-methods', 'GET, HEAD, POST');
    },
  );

  it('learns nothing of paths that are not there', async () => {
    const response = await app.request('OPTIONS', '/v1/nothing', {
      headers: { origin: ORIGIN, 'access-control-request-method': 'GET' },
    });
    expectProblem(response, 'ERR_NOT_FOUND');
  });

  it('never gets leave to use credentials, and no cache mixes origins up', async () => {
    const responses = [
      await ask('GET', ORIGIN),
      await ask('GET', 'https://evil.example'),
      await app.get('/v1/contacts', user.token),
      await ask('OPTIONS', ORIGIN, { 'access-control-request-method': 'GET' }),
    ];
    for (const { headers } of responses) {
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
      expect(headers.vary).toBe('Origin');
    }
  });

  it.each([
    ['another host', '/', 'Host: evil.example', 'ERR_MISDIRECTED_REQUEST'],
    ['a target that is too long', `/${'x'.repeat(8 * 1024)}`, 'Host: localhost', 'ERR_URI_TOO_LONG'],
    ['a coding', '/', 'Host: localhost\r\nContent-Encoding: gzip', 'ERR_UNSUPPORTED_MEDIA_TYPE'],
    ['a path that cannot be read', '/%zz', 'Host: localhost', 'ERR_MALFORMED_REQUEST'],
    ['too many fields', '/', `Host: localhost${'\r\nA: b'.repeat(100)}`, 'ERR_HEADERS_TOO_LARGE'],
  ] as const)('may read the early refusal of %s', async (_claim, target, fields, code) => {
    const bytes = `GET ${target} HTTP/1.1\r\n${fields}\r\nOrigin: ${ORIGIN}\r\nConnection: close\r\n\r\n`;
    const response = await sendRaw(app, bytes);
    expectProblem(response, code);
    expect(response.headers).toMatchObject({ vary: 'Origin', 'access-control-allow-origin': ORIGIN });
  });

  it('finds Vary under what the parser refuses, where its origin is not known', async () => {
    for (const bytes of ['hello\r\n\r\n', 'CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n']) {
      expect((await sendRaw(app, bytes)).headers.vary).toBe('Origin');
    }
  });
});
