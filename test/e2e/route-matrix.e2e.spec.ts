import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount, newAdmin, newEmail, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type Exchange } from '../support/https-client.js';
import { expectSecurityHeaders } from '../support/problems.js';
import { routesOf } from '../support/route-table.js';
import { type TestApp } from '../support/test-app.js';

const callers = ['anonymous', 'another user', 'the owner', 'an administrator'] as const;
type Caller = (typeof callers)[number];

type Accounts = Readonly<Record<Exclude<Caller, 'anonymous'>, Account>>;

/** Objects of the owner, new for every request. */
interface Owned {
  readonly contactId: string;
  readonly secretName: string;
  readonly sessionId: string;
  readonly refreshToken: string;
}

interface Row {
  readonly statuses: readonly [anonymous: number, other: number, owner: number, admin: number];
  /** It ends sessions or uses tokens up, so its callers are made for one request. */
  readonly isSpending?: true;
  /** What to send; the path's parameters are filled in from `Owned` where it names none. */
  readonly exchange?: (owned: Owned) => Exchange & { readonly path?: string };
}

const everyone = (status: number): Row['statuses'] => [status, status, status, status];
const signedIn = (status: number): Row['statuses'] => [401, status, status, status];
/** Nobody but the owner, administrators included: to them the object is not there. */
const ownerOnly = (status: number): Row['statuses'] => [401, 404, status, 404];

const json = (body: unknown, headers: Record<string, string> = {}) => ({ json: body, headers });
const mergePatch = { raw: '{}', headers: { 'content-type': 'application/merge-patch+json' } };
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
    isSpending: true,
    exchange: ({ refreshToken }) => json({ refreshToken }),
  },
  'POST /v1/auth/logout': { statuses: signedIn(204), isSpending: true },
  'GET /v1/auth/sessions': { statuses: signedIn(200) },
  'DELETE /v1/auth/sessions': { statuses: signedIn(204), isSpending: true },
  'DELETE /v1/auth/sessions/:id': {
    statuses: ownerOnly(204),
    isSpending: true,
    exchange: ({ sessionId }) => ({ path: `/v1/auth/sessions/${sessionId}` }),
  },
  'GET /v1/users/me': { statuses: signedIn(200) },
  'GET /v1/audit': { statuses: signedIn(200) },
  'GET /v1/secrets': { statuses: signedIn(200) },
  'GET /v1/secrets/:name': { statuses: ownerOnly(200) },
  'GET /v1/secrets/:name/versions': { statuses: ownerOnly(200) },
  'PUT /v1/secrets/:name': { statuses: [401, 201, 200, 201], exchange: () => json({ data: {} }) },
  'PATCH /v1/secrets/:name': { statuses: ownerOnly(200), exchange: () => mergePatch },
  'PATCH /v1/secrets/:name/metadata': { statuses: ownerOnly(200), exchange: () => mergePatch },
  'POST /v1/secrets/:name/undelete': { statuses: ownerOnly(409), exchange: () => json({ versions: [1] }) },
  'POST /v1/secrets/:name/destroy': { statuses: ownerOnly(200), exchange: () => json({ versions: [1] }) },
  'POST /v1/secrets/:name/rollback': { statuses: ownerOnly(200), exchange: () => json({ version: 1 }) },
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
    let accounts: Accounts;
    beforeAll(async () => {
      app = await newApp();
      accounts = await newAccounts();
    });
    afterAll(() => app.close());

    async function newAccounts(): Promise<Accounts> {
      const [other, owner, admin] = await Promise.all([newAccount(app), newAccount(app), newAdmin(app)]);
      return { 'another user': other, 'the owner': owner, 'an administrator': admin };
    }

    async function newOwned({ token, refreshToken }: Account): Promise<Owned> {
      const contact = await app.post('/v1/contacts', { name: 'Ada' }, token);
      const secretName = `secret-${contact.string('id')}`;
      await app.request('PUT', `/v1/secrets/${secretName}`, { token, json: { data: {} } });
      const [session] = (await app.get('/v1/auth/sessions', token)).items;
      return {
        contactId: contact.string('id'),
        secretName,
        sessionId: String(session?.['id']),
        refreshToken,
      };
    }

    async function statusOfHead(path: string, exchange?: Exchange): Promise<number> {
      return (await app.request('HEAD', path, exchange)).status;
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
      const { isSpending, exchange } = matrix[route] ?? {};
      const cast = isSpending ? await newAccounts() : accounts;
      const owned = await newOwned(cast['the owner']);
      const [method = '', pattern = ''] = route.split(' ');
      const { path = fillIn(pattern, owned), ...sent } = exchange?.(owned) ?? {};
      const credentials = caller === 'anonymous' ? {} : { token: cast[caller].token };
      const response = await app.request(method, path, { ...sent, ...credentials });
      expect({ status: response.status, body: response.text }).toMatchObject({ status });
      expectSecurityHeaders(response);
    });

    it('asks HEAD for the same rights as GET', async () => {
      const { contactId } = await newOwned(accounts['the owner']);
      const { token } = accounts['another user'];
      expect(await statusOfHead('/v1/contacts')).toBe(401);
      expect(await statusOfHead('/v1/contacts', { token })).toBe(200);
      expect(await statusOfHead(`/v1/contacts/${contactId}`, { token })).toBe(404);
    });
  });
});

function fillIn(pattern: string, { contactId, secretName }: Owned): string {
  return pattern.replace(':id', contactId).replace(':name', secretName);
}
