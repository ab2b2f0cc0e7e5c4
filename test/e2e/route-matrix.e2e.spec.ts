import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount, newAdmin, newEmail, PASSWORD, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type Exchange } from '../support/https-client.js';
import { expectSecurityHeaders } from '../support/problems.js';
import { routesOf } from '../support/route-table.js';
import { type TestApp } from '../support/test-app.js';

const callers = ['anonymous', 'another user', 'the owner', 'an administrator'] as const;
type Caller = (typeof callers)[number];

/** Objects of the owner, new for every request. */
interface Owned {
  readonly contactId: string;
  readonly secretName: string;
  readonly sessionId: string;
  readonly refreshToken: string;
}

interface Row {
  readonly statuses: readonly [anonymous: number, other: number, owner: number, admin: number];
  /** What to send; the path's parameters are filled in from `Owned` where it names none. */
  readonly exchange?: (owned: Owned) => Exchange & { readonly path?: string };
}

const everyone = (status: number): Row['statuses'] => [status, status, status, status];
const signedIn = (status: number): Row['statuses'] => [401, status, status, status];
/** Nobody but the owner, administrators included: to them the object is not there. */
const ownerOnly = (status: number): Row['statuses'] => [401, 404, status, 404];

const json = (body: unknown, headers: Record<string, string> = {}) => ({ json: body, headers });
const ifMatch = { 'if-match': '"1"' };

/** Who gets what. A route that is missing here fails the test. */
const matrix: Readonly<Record<string, Row>> = {
  'GET /': { statuses: everyone(200) },
  'GET /.well-known/jwks.json': { statuses: everyone(200) },
  'GET /health/live': { statuses: everyone(200) },
  'GET /health/ready': { statuses: everyone(200) },
  'POST /v1/auth/register': {
    statuses: everyone(201),
    exchange: () => json({ email: newEmail(), password: PASSWORD }),
  },
  'POST /v1/auth/login': {
    statuses: everyone(401),
    exchange: () => json({ email: newEmail(), password: PASSWORD }),
  },
  'POST /v1/auth/refresh': {
    statuses: everyone(200),
    exchange: ({ refreshToken }) => json({ refreshToken }),
  },
  'POST /v1/auth/logout': { statuses: signedIn(204) },
  'GET /v1/auth/sessions': { statuses: signedIn(200) },
  'DELETE /v1/auth/sessions': { statuses: signedIn(204) },
  'DELETE /v1/auth/sessions/:id': {
    statuses: ownerOnly(204),
    exchange: ({ sessionId }) => ({ path: `/v1/auth/sessions/${sessionId}` }),
  },
  'GET /v1/users/me': { statuses: signedIn(200) },
  'GET /v1/secrets': { statuses: signedIn(200) },
  'GET /v1/secrets/:name': { statuses: ownerOnly(200) },
  'GET /v1/secrets/:name/versions': { statuses: ownerOnly(200) },
  'PUT /v1/secrets/:name': { statuses: [401, 201, 200, 201], exchange: () => json({ data: {} }) },
  'DELETE /v1/secrets/:name': { statuses: ownerOnly(204) },
  'GET /v1/contacts': { statuses: signedIn(200) },
  'POST /v1/contacts': { statuses: signedIn(201), exchange: () => json({ name: 'Ada' }) },
  'GET /v1/contacts/:id': { statuses: ownerOnly(200) },
  'PATCH /v1/contacts/:id': { statuses: ownerOnly(200), exchange: () => json({ note: 'x' }, ifMatch) },
  'DELETE /v1/contacts/:id': { statuses: ownerOnly(204) },
};

const cells = Object.entries(matrix).flatMap(([route, { statuses }]) =>
  callers.map((caller, index): [string, Caller, number] => [route, caller, statuses[index] ?? Number.NaN]),
);

describe('every route', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let accounts: Readonly<Record<Exclude<Caller, 'anonymous'>, Account>>;
    beforeAll(async () => {
      app = await newApp();
      accounts = {
        'another user': await newAccount(app),
        'the owner': await newAccount(app),
        'an administrator': await newAdmin(app),
      };
    });
    afterAll(() => app.close());

    async function newOwned(): Promise<Owned> {
      const { email } = accounts['the owner'];
      const { token, refreshToken } = await signIn(app, email);
      const contact = await app.post('/v1/contacts', { name: 'Ada' }, token);
      const secretName = `secret-${contact.string('id')}`;
      await app.request('PUT', `/v1/secrets/${secretName}`, { token, json: { data: {} } });
      const session = (await app.get('/v1/auth/sessions', token)).items.find(
        ({ current }) => current === true,
      );
      return {
        contactId: contact.string('id'),
        secretName,
        sessionId: String(session?.['id']),
        refreshToken,
      };
    }

    it('has its expectations here', () => {
      expect(routesOf(app).toSorted()).toEqual(Object.keys(matrix).toSorted());
    });

    it('is in the OpenAPI document, but for the welcome page, with Bearer where it is needed', async () => {
      const { paths } = (await app.get('/openapi.json')).body as {
        paths: Record<string, Record<string, { security?: unknown[] }>>;
      };
      const documented = Object.entries(paths).flatMap(([path, operations]) =>
        Object.entries(operations).map(([method, { security }]) => {
          const route = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
          return `${route} ${security ? 'Bearer' : 'public'}`;
        }),
      );
      const expected = Object.entries(matrix).map(([route, { statuses }]) => {
        const isPublic = statuses.every((status) => status === statuses[0]);
        return `${route} ${isPublic ? 'public' : 'Bearer'}`;
      });
      expect(documented.toSorted()).toEqual(
        expected.filter((route) => !route.startsWith('GET / ')).toSorted(),
      );
    });

    it.each(cells)('%s answers %s with %i', async (route, caller, status) => {
      const owned = await newOwned();
      const [method = '', pattern = ''] = route.split(' ');
      const { path = fillIn(pattern, owned), ...exchange } = matrix[route]?.exchange?.(owned) ?? {};
      const token = caller === 'anonymous' ? undefined : (await signIn(app, accounts[caller].email)).token;
      const response = await app.request(
        method,
        path,
        token === undefined ? exchange : { ...exchange, token },
      );
      expect({ status: response.status, body: response.text }).toMatchObject({ status });
      expectSecurityHeaders(response);
    });

    it('asks HEAD for the same rights as GET', async () => {
      const { contactId } = await newOwned();
      const { token } = await signIn(app, accounts['another user'].email);
      const head = async (path: string, exchange?: Exchange) =>
        (await app.request('HEAD', path, exchange)).status;
      expect(await head('/v1/contacts')).toBe(401);
      expect(await head('/v1/contacts', { token })).toBe(200);
      expect(await head(`/v1/contacts/${contactId}`, { token })).toBe(404);
    });
  });
});

function fillIn(pattern: string, { contactId, secretName }: Owned): string {
  return pattern.replace(':id', contactId).replace(':name', secretName);
}
