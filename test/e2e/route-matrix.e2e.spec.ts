import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACCESS_METADATA } from '../../src/common/access.js';
import { UsersController } from '../../src/users/users.controller.js';
import { newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type Exchange } from '../support/https-client.js';
import { permissionsPage } from '../support/permissions-page.js';
import { expectProblem, expectSecurityHeaders } from '../support/problems.js';
import {
  type Caller,
  type Cast,
  type Cell,
  cells,
  matrix,
  newCast,
  requestOf,
} from '../support/route-matrix.js';
import { routesOf } from '../support/route-table.js';
import { type TestApp } from '../support/test-app.js';

const page = fileURLToPath(new URL('../../docs/permissions.md', import.meta.url));

describe('every route', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    const casts = new Map<Caller, Promise<Cast>>();
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    /** The same for all cells that leave it as it was. */
    function castOf({ route, caller, status }: Cell): Promise<Cast> {
      if (matrix[route]?.isSpending && status < 400) return newCast(app, caller);
      const cast = casts.get(caller) ?? newCast(app, caller);
      casts.set(caller, cast);
      return cast;
    }

    async function statusOfHead(path: string, exchange?: Exchange): Promise<number> {
      return (await app.request('HEAD', path, exchange)).status;
    }

    it('has its expectations here, with the permission that it is marked with', () => {
      const marks = routesOf(app).map(({ name, access }) => [
        name,
        'public' in access ? 'nothing' : access.permission,
      ]);
      const expected = Object.entries(matrix).map(([name, { needs }]) => [name, needs]);
      expect(Object.fromEntries(marks)).toEqual(Object.fromEntries(expected));
    });

    it('has expectations for the objects of others and missing ones where it names an object', () => {
      const aboutNone = Object.entries(matrix).filter(([route, row]) => route.includes(':') && !row.object);
      expect(aboutNone).toEqual([]);
    });

    it('without a mark stops the start, and lets nobody in where it gets that far', async () => {
      const me = Object.getOwnPropertyDescriptor(UsersController.prototype, 'me')?.value as object;
      const mark: unknown = Reflect.getMetadata(ACCESS_METADATA, me);
      const { token } = await newAccount(app);
      Reflect.deleteMetadata(ACCESS_METADATA, me);
      try {
        await expect(app.newInstance()).rejects.toThrow(
          'mark UsersController.me with @Public() or @RequirePermission()',
        );
        expectProblem(await app.get('/v1/users/me', token), 'ERR_FORBIDDEN');
      } finally {
        Reflect.defineMetadata(ACCESS_METADATA, mark, me);
      }
      expect((await app.get('/v1/users/me', token)).status).toBe(200);
    });

    it('is in docs/permissions.md, which UPDATE_DOCS=true writes anew', () => {
      const text = permissionsPage(routesOf(app));
      if (process.env['UPDATE_DOCS'] === 'true') writeFileSync(page, text);
      expect(readFileSync(page, 'utf8')).toBe(text);
    });

    it('is in the OpenAPI document, but for pages, with Bearer where it is needed', async () => {
      const { paths } = (await app.get('/openapi.json')).body as {
        paths: Record<string, Record<string, { security?: object[] }>>;
      };
      const documented = Object.entries(paths).flatMap(([path, operations]) =>
        Object.entries(operations).map(([method, { security }]) => {
          const route = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
          const isNeeded = security?.every((scheme) => 'bearer' in scheme) === true;
          return `${route} ${isNeeded ? 'Bearer' : 'public'}`;
        }),
      );
      const expected = Object.entries(matrix)
        .filter(([, { isPage = false }]) => !isPage)
        .map(([route, { needs }]) => `${route} ${needs === 'nothing' ? 'public' : 'Bearer'}`);
      expect(documented.toSorted()).toEqual(expected.toSorted());
    });

    it.each(cells)('$route for $caller, $relation: $status', async (cell) => {
      const cast = await castOf(cell);
      const { method, path, exchange } = await requestOf(app, cell, cast);
      const credentials = cast.bearer === undefined ? {} : { token: cast.bearer };
      const response = await app.request(method, path, { ...exchange, ...credentials });
      expect({ status: response.status, body: response.text }).toMatchObject({ status: cell.status });
      expectSecurityHeaders(response, matrix[cell.route]?.isPage);
    });

    it('asks HEAD for the same rights as GET', async () => {
      const [owner, { token }] = await Promise.all([newAccount(app), newAccount(app)]);
      const contact = await app.post('/v1/contacts', { name: 'Ada' }, owner.token);
      expect(await statusOfHead('/v1/contacts')).toBe(401);
      expect(await statusOfHead('/v1/contacts', { token })).toBe(200);
      expect(await statusOfHead(`/v1/contacts/${contact.string('id')}`, { token })).toBe(404);
    });
  });
});
