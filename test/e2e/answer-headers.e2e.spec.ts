import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { securityHeaders, strictTransportSecurity } from '../../src/common/security-headers.js';
import { writeProductionCertificate } from '../support/production-certificate.js';
import { sendRaw } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const ORIGIN = 'https://app.example.com';
const HOST = 'Host: localhost\r\n';
const LOGIN = `POST /v1/auth/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;

function get(target: string, more = '', method = 'GET'): string {
  return `${method} ${target} HTTP/1.1\r\n${HOST}${more}Connection: close\r\n\r\n`;
}

describe('in production, with origins that may read answers', () => {
  let development: TestApp;
  let app: TestApp;
  beforeAll(async () => {
    development = await newTestApp();
    const data = development.environment['DATA_DIR'] ?? '';
    app = await development.newInstance({
      NODE_ENV: 'production',
      ROOT_KEY_FILE: join(data, 'root.key'),
      CERTS_DIR: join(data, 'production'),
      CORS_ORIGINS: ORIGIN,
      AUTH_RATE_LIMIT_PER_MINUTE: '1',
      ...(await writeProductionCertificate(join(data, 'production'))),
    });
    // All that is granted for a minute.
    await app.post('/v1/auth/login', {});
  });
  afterAll(async () => {
    await app.close();
    await development.close();
  });

  it.each([
    [200, 'a success', get('/health/live')],
    [200, 'HEAD', get('/health/live', '', 'HEAD')],
    [
      204,
      'a preflight request',
      get('/v1/contacts', `Origin: ${ORIGIN}\r\nAccess-Control-Request-Method: GET\r\n`, 'OPTIONS'),
    ],
    [400, 'bytes that are no request', 'no request\r\n\r\n'],
    [400, 'two Hosts', get('/', HOST)],
    [400, 'a body that is no JSON', `${LOGIN.replace('auth/login', 'contacts')}Content-Length: 1\r\n\r\n{`],
    [400, 'a target that the router cannot decode', get('/%zz')],
    [400, 'a method of RTSP', `PLAY / RTSP/1.0\r\n${HOST}\r\n`],
    [401, 'no token', get('/v1/contacts')],
    [404, 'a path that is none', get('/nothing')],
    [404, 'HEAD of such a path', get('/nothing', '', 'HEAD')],
    [405, 'another method', get('/health/live', '', 'DELETE')],
    [405, 'a tunnel', get('localhost:443', '', 'CONNECT')],
    [413, 'a long body', get('/health/live', 'Content-Length: 70000\r\n')],
    [414, 'a long target', get(`/${'x'.repeat(8_192)}`)],
    [414, 'a target that the parser finds too long', get(`/${'x'.repeat(16_384)}`)],
    [414, 'a path segment that the router finds too long', get(`/v1/contacts/${'x'.repeat(600)}`)],
    [415, 'a body of another type', get('/v1/contacts', 'Content-Encoding: gzip\r\n')],
    [421, 'another host', get('/').replace('localhost', 'evil.example')],
    [429, 'one request too many', `${LOGIN}Connection: close\r\nContent-Length: 2\r\n\r\n{}`],
    [431, 'many header fields', get('/', 'A: b\r\n'.repeat(100))],
    [431, 'long header fields', get('/', `A: ${'b'.repeat(16_384)}\r\n`)],
  ])('the answer with %i to %s has all header fields', async (status, _claim, bytes) => {
    const response = await sendRaw(app, bytes);
    expect(response.status).toBe(status);
    expect(response.headers).toMatchObject({
      ...securityHeaders,
      ...strictTransportSecurity,
      'cache-control': 'no-store',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      vary: 'Origin',
    });
    expect(response.headers).not.toHaveProperty('server');
    expect(response.headers).not.toHaveProperty('x-powered-by');
    expect(response.headers).not.toHaveProperty('access-control-allow-credentials');
  });
});
