import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { expectProblem } from '../support/problems.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

describe('a path', () => {
  let app: TestApp;
  let user: Account;
  beforeAll(async () => {
    app = await newTestApp();
    user = await newAccount(app);
  });
  afterAll(() => app.close());

  async function allowed(path: string): Promise<string | undefined> {
    return (await app.request('OPTIONS', path)).headers.allow;
  }

  it.each([
    ['/'],
    ['/v1/contacts'],
    ['/v1/contacts/01900000-0000-7000-8000-000000000000'],
    ['/v1/secrets/a/versions'],
    ['/v1/auth/login'],
    ['/health/live'],
    ['/.well-known/jwks.json'],
  ])('answers another method on %s with 405 and what is allowed', async (path) => {
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'GET']) {
      const response = await app.request(method, path, { token: user.token });
      if (response.headers.allow === undefined) continue;
      expectProblem(response, 'ERR_METHOD_NOT_ALLOWED');
      expect(response.headers.allow.split(', ')).not.toContain(method);
      expect(response.headers.allow).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
    }
    const unsupported = await app.request('PROPFIND', path);
    expect([404, 405]).toContain(unsupported.status);
  });

  it('names exactly the methods of a path in Allow', async () => {
    expect(await allowed('/v1/contacts')).toBe('GET, HEAD, POST');
    expect(await allowed('/v1/contacts/x')).toBe('DELETE, GET, HEAD, PATCH');
    expect(await allowed('/v1/secrets/x')).toBe('DELETE, GET, HEAD, PATCH, PUT');
    expect(await allowed('/v1/auth/login')).toBe('POST');
  });

  it.each([
    ['/health/%6cive', 'GET, HEAD'],
    ['/v1/%61uth/login?x=%', 'POST'],
    ['https://localhost/health/live?x', 'GET, HEAD'],
    ['https://localhost/v1/contacts', 'GET, HEAD, POST'],
    ['https://localhost', 'GET, HEAD'],
    ['/v1/contacts/a%2Fb', 'DELETE, GET, HEAD, PATCH'],
  ])('has the same methods however it is spelled: %s', async (path, methods) => {
    const response = await app.request('PUT', path, { headers: { host: 'localhost' } });
    expectProblem(response, 'ERR_METHOD_NOT_ALLOWED');
    expect(response.headers.allow).toBe(methods);
  });

  it.each([
    ['/v1'],
    ['/v1/'],
    ['/v1/contact'],
    ['/v2/contacts'],
    ['/v1/contacts/'],
    ['//v1/contacts'],
    ['/V1/contacts'],
    ['/v1/contacts/a/b'],
    ['/.env'],
    ['/../etc/passwd'],
    ['/v1/%63ontact'],
    ['/v1/secrets/..%2f..'],
  ])('knows nothing at %s', async (path) => {
    const response = await app.get(path, user.token);
    expect([400, 404]).toContain(response.status);
    expectProblem(response, response.status === 404 ? 'ERR_NOT_FOUND' : 'ERR_VALIDATION');
  });

  it.each([
    ['/v1/contacts/%00', 404],
    ['/v1/secrets/%00', 400],
    ['/v1/secrets/a%00/versions', 400],
    ['/v1/auth/sessions/%00', 404],
  ])('finds nothing under a percent-encoded NUL at %s', async (path, status) => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const json = method === 'DELETE' ? {} : { json: { data: {}, name: 'x' } };
      const response = await app.request(method, path, { token: user.token, ...json });
      expect([status, 405, 415]).toContain(response.status);
      expect(response.members['status']).toBe(response.status);
    }
  });

  it.each([['/v1/secrets/%'], ['/v1/secrets/%zz'], ['/v1/secrets/%ff'], ['/%']])(
    'answers the broken escape in %s with 400',
    async (path) => {
      expectProblem(await app.get(path, user.token), 'ERR_MALFORMED_REQUEST');
    },
  );

  it('answers a path segment that is far too long with 414', async () => {
    expectProblem(await app.get(`/v1/secrets/${'a'.repeat(4_000)}`, user.token), 'ERR_URI_TOO_LONG');
  });

  it('refuses unknown fields in a query', async () => {
    for (const path of [
      '/v1/contacts?x=1',
      '/v1/secrets?limit=1&x=1',
      '/v1/secrets/a?x=1',
      '/v1/contacts?limit=1&__proto__=x',
    ]) {
      expectProblem(await app.get(path, user.token), 'ERR_VALIDATION');
    }
  });
});
