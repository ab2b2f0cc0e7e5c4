import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAdmin } from '../support/accounts.js';
import { badFields } from '../support/problems.js';
import { routesOf } from '../support/route-table.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

/** For people, who follow links that others have added to. */
const PAGES = / \/($|docs|s\/)/;

describe('a field that no route knows', () => {
  let app: TestApp;
  let admin: Account;
  beforeAll(async () => {
    app = await newTestApp();
    admin = await newAdmin(app);
  });
  afterAll(() => app.close());

  it('is refused in the query of every route for machines', async () => {
    const taken: string[] = [];
    const routes = routesOf(app).filter(({ name }) => !PAGES.test(name));
    expect(routes.length).toBeGreaterThan(40);
    for (const { name } of routes) {
      const [method = '', path = ''] = name.split(' ');
      const url = path.replaceAll(':name', 'name').replaceAll(/:\w+/g, randomUUID());
      const response = await app.request(method, `${url}?unknown=1`, { token: admin.token });
      if (response.status !== 400 || badFields(response).join() !== '/unknown') taken.push(name);
    }
    expect(taken).toEqual([]);
  });

  it('is refused in the query of the description of the API', async () => {
    expect(badFields(await app.get('/openapi.json?unknown=1'))).toEqual(['/unknown']);
  });

  it.each([
    ['POST', '/v1/audit/verify'],
    ['POST', '/v1/auth/logout'],
    ['POST', '/v1/auth/totp'],
    ['DELETE', '/v1/secrets/name'],
  ])('is refused in the body of %s %s, which takes none', async (method, path) => {
    const response = await app.request(method, path, { token: admin.token, json: { unknown: 1 } });
    expect(badFields(response)).toEqual(['/unknown']);
  });

  it('is passed over in the links of pages', async () => {
    expect((await app.get('/?utm_source=mail')).status).toBe(200);
    expect((await app.get(`/s/${randomUUID()}?utm_source=mail`)).status).toBe(200);
    expect((await app.get('/docs?utm_source=mail')).status).toBe(200);
  });

  it('is told to nobody who may not call the route', async () => {
    expect((await app.get('/v1/users/me?unknown=1')).status).toBe(401);
  });
});
