import { randomUUID } from 'node:crypto';
import { type Permission, permissionsOf, scopes } from '../../src/common/permissions.js';
import { type Account, newAccount, newAdmin, newEmail, PASSWORD } from './accounts.js';
import { type Exchange } from './https-client.js';
import { type TestApp } from './test-app.js';

/** Kinds of callers and what they may do. */
const callers = {
  anonymous: undefined,
  'a user': permissionsOf(['user']),
  'an administrator': permissionsOf(['user', 'admin']),
  'an API key of a user': permissionsOf(['user']).intersection(scopes),
  'an API key of an administrator': permissionsOf(['user', 'admin']).intersection(scopes),
  'an API key for contacts': new Set<Permission>(['contacts:read', 'contacts:write']),
} as const satisfies Readonly<Record<string, ReadonlySet<Permission> | undefined>>;

export type Caller = keyof typeof callers;
type Relation = 'own' | 'foreign' | 'missing';

/** What names an object: the parameters of a path, or members of a body. */
type Reference = Readonly<Record<string, string>>;

interface ObjectKind {
  /** Makes one that belongs to the account. */
  readonly make: (app: TestApp, account: Account) => Promise<Reference>;
  /** Names one that is not there. */
  readonly missing: Reference;
}

const missingId = { id: randomUUID() };

const newApiKey = { name: 'matrix', scopes: ['contacts:read'] };

/** What routes are about. */
const objects = {
  contact: {
    make: async (app, { token }) => {
      const contact = await app.post('/v1/contacts', { name: 'Ada' }, token);
      return { id: contact.string('id') };
    },
    missing: missingId,
  },
  secret: {
    make: async (app, { token }) => {
      const name = `secret-${randomUUID()}`;
      await app.request('PUT', `/v1/secrets/${name}`, { token, json: { data: {} } });
      return { name };
    },
    missing: { name: 'missing' },
  },
  session: {
    make: async (app, { token }) => {
      const [session] = (await app.get('/v1/auth/sessions', token)).items;
      return { id: String(session?.['id']) };
    },
    missing: missingId,
  },
  refreshToken: {
    make: async (_app, { refreshToken }) => ({ refreshToken }),
    missing: { refreshToken: 'missing' },
  },
  apiKey: {
    make: async (app, { token }) => {
      const apiKey = await app.post('/v1/api-keys', newApiKey, token);
      return { id: apiKey.string('id') };
    },
    missing: missingId,
  },
  grant: {
    make: async (app, { token }) => {
      const name = `secret-${randomUUID()}`;
      await app.request('PUT', `/v1/secrets/${name}`, { token, json: { data: {} } });
      const { id: userId } = await newAccount(app);
      const grant = await app.post(`/v1/secrets/${name}/grants`, { userId }, token);
      return { name, id: grant.string('id') };
    },
    missing: { name: 'missing', ...missingId },
  },
  /** To the account, of somebody else. */
  receivedGrant: {
    make: async (app, { id: userId }) => {
      const { token } = await newAccount(app);
      await app.request('PUT', '/v1/secrets/granted', { token, json: { data: {} } });
      const grant = await app.post('/v1/secrets/granted/grants', { userId }, token);
      return { id: grant.string('id') };
    },
    missing: missingId,
  },
  share: {
    make: async (app, { token }) => {
      const share = await app.post('/v1/shares', { data: {} }, token);
      return { id: share.string('id'), token: share.string('token') };
    },
    missing: { ...missingId, token: 'missing' },
  },
  user: { make: async (_app, { id }) => ({ id }), missing: missingId },
} as const satisfies Readonly<Record<string, ObjectKind>>;

interface Row {
  readonly needs: Permission | 'nothing';
  /** What those get who may, for an object of their own or where there is none. */
  readonly own: number;
  /** The kind of object that the route is about. Another's and a missing one are 404, unless said otherwise. */
  readonly object?: keyof typeof objects;
  readonly foreign?: number;
  readonly missing?: number;
  /** It ends sessions or uses something up, so its caller is made for one request. */
  readonly isSpending?: true;
  /** For people: in no description of the API, and under a policy that lets it be a page. */
  readonly isPage?: true;
  readonly send?: (reference: Reference) => Exchange;
}

const json = (body: unknown, headers: Record<string, string> = {}) => ({ json: body, headers });
const mergePatch = { raw: '{}', headers: { 'content-type': 'application/merge-patch+json' } };
const ifMatch = { 'if-match': '"1"' };

/** A valid public key: the base point of X25519 (RFC 7748, section 4.1). */
const publicKey = Buffer.alloc(32).fill(9, 0, 1).toString('base64url');

/** What every route is about and answers. One that is missing here fails the test. */
export const matrix: Readonly<Record<string, Row>> = {
  'GET /': { needs: 'nothing', own: 200, isPage: true },
  'GET /.well-known/jwks.json': { needs: 'nothing', own: 200 },
  'GET /health/live': { needs: 'nothing', own: 200 },
  'GET /health/ready': { needs: 'nothing', own: 200 },

  'POST /v1/auth/register': {
    needs: 'nothing',
    own: 201,
    send: () => json({ email: newEmail(), password: PASSWORD }),
  },
  'POST /v1/auth/login': {
    needs: 'nothing',
    own: 401,
    send: () => json({ email: newEmail(), password: PASSWORD }),
  },
  'POST /v1/auth/refresh': {
    needs: 'nothing',
    object: 'refreshToken',
    own: 200,
    foreign: 200,
    missing: 401,
    isSpending: true,
    send: ({ refreshToken }) => json({ refreshToken }),
  },
  'POST /v1/auth/logout': { needs: 'account:write', own: 204, isSpending: true },
  'GET /v1/auth/sessions': { needs: 'sessions:read', own: 200 },
  'DELETE /v1/auth/sessions': { needs: 'sessions:write', own: 204, isSpending: true },
  'DELETE /v1/auth/sessions/:id': {
    needs: 'sessions:write',
    object: 'session',
    own: 204,
    isSpending: true,
  },

  'POST /v1/auth/password': {
    needs: 'account:write',
    own: 204,
    isSpending: true,
    send: () => json({ currentPassword: PASSWORD, newPassword: `${PASSWORD} and more` }),
  },

  'POST /v1/auth/totp': { needs: 'account:write', own: 201 },
  'POST /v1/auth/totp/activate': { needs: 'account:write', own: 400, send: () => json({ code: '000000' }) },
  'DELETE /v1/auth/totp': { needs: 'account:write', own: 400, send: () => json({ code: '000000' }) },

  'GET /v1/api-keys': { needs: 'api-keys:read', own: 200 },
  'POST /v1/api-keys': { needs: 'api-keys:write', own: 201, send: () => json(newApiKey) },
  'DELETE /v1/api-keys/:id': { needs: 'api-keys:write', object: 'apiKey', own: 204 },

  'GET /v1/users/me': { needs: 'account:read', own: 200 },
  'DELETE /v1/users/me': {
    needs: 'account:write',
    own: 204,
    isSpending: true,
    send: () => json({ password: PASSWORD }),
  },
  'GET /v1/users': { needs: 'users:read', own: 200 },
  'PATCH /v1/users/:id': {
    needs: 'users:write',
    object: 'user',
    own: 200,
    foreign: 200,
    isSpending: true,
    send: () => json({ disabled: false }),
  },
  'DELETE /v1/users/:id/sessions': {
    needs: 'users:write',
    object: 'user',
    own: 204,
    foreign: 204,
    isSpending: true,
  },
  'PUT /v1/users/me/public-key': {
    needs: 'account:write',
    own: 200,
    send: () => json({ publicKey }),
  },
  'GET /v1/users/:id/public-key': { needs: 'public-keys:read', object: 'user', own: 200, foreign: 200 },

  'GET /v1/audit': { needs: 'audit:read', own: 200 },
  'GET /v1/audit/checkpoint': { needs: 'audit:verify', own: 200 },
  'POST /v1/audit/verify': { needs: 'audit:verify', own: 200 },

  'GET /v1/secrets': { needs: 'secrets:read', own: 200 },
  'GET /v1/secrets/:name': { needs: 'secrets:read', object: 'secret', own: 200 },
  'GET /v1/secrets/:name/versions': { needs: 'secrets:read', object: 'secret', own: 200 },
  'PUT /v1/secrets/:name': {
    needs: 'secrets:write',
    object: 'secret',
    own: 200,
    // Names are each owner's own: what is another's or nobody's becomes a new secret of the caller's.
    foreign: 201,
    missing: 201,
    isSpending: true,
    send: () => json({ data: {} }),
  },
  'PATCH /v1/secrets/:name': { needs: 'secrets:write', object: 'secret', own: 200, send: () => mergePatch },
  'PATCH /v1/secrets/:name/metadata': {
    needs: 'secrets:write',
    object: 'secret',
    own: 200,
    send: () => mergePatch,
  },
  'POST /v1/secrets/:name/undelete': {
    needs: 'secrets:write',
    object: 'secret',
    own: 409,
    send: () => json({ versions: [1] }),
  },
  'POST /v1/secrets/:name/destroy': {
    needs: 'secrets:write',
    object: 'secret',
    own: 200,
    send: () => json({ versions: [1] }),
  },
  'POST /v1/secrets/:name/rollback': {
    needs: 'secrets:write',
    object: 'secret',
    own: 200,
    send: () => json({ version: 1 }),
  },
  'DELETE /v1/secrets/:name': { needs: 'secrets:write', object: 'secret', own: 204 },

  'GET /v1/secrets/:name/grants': { needs: 'secrets:read', object: 'grant', own: 200 },
  'POST /v1/secrets/:name/grants': {
    needs: 'secrets:write',
    object: 'secret',
    own: 404,
    send: () => json({ userId: missingId.id }),
  },
  'DELETE /v1/secrets/:name/grants/:id': { needs: 'secrets:write', object: 'grant', own: 204 },
  'GET /v1/grants': { needs: 'secrets:read', own: 200 },
  'GET /v1/grants/:id': { needs: 'secrets:read', object: 'receivedGrant', own: 200 },

  'GET /v1/shares': { needs: 'secrets:read', own: 200 },
  'POST /v1/shares': { needs: 'secrets:write', own: 201, send: () => json({ data: {} }) },
  'GET /v1/shares/:id': { needs: 'nothing', object: 'share', own: 200, foreign: 200 },
  'POST /v1/shares/:id/reveal': {
    needs: 'nothing',
    object: 'share',
    own: 200,
    foreign: 200,
    send: ({ token }) => json({ token }),
  },
  'DELETE /v1/shares/:id': { needs: 'secrets:write', object: 'share', own: 204 },

  // The same page whatever the id: it asks by itself.
  'GET /s/:id': { needs: 'nothing', object: 'share', own: 200, foreign: 200, missing: 200, isPage: true },
  'GET /s/assets/page.css': { needs: 'nothing', own: 200, isPage: true },
  'GET /s/assets/page.js': { needs: 'nothing', own: 200, isPage: true },
  'GET /s/assets/icon.svg': { needs: 'nothing', own: 200, isPage: true },

  'GET /v1/contacts': { needs: 'contacts:read', own: 200 },
  'POST /v1/contacts': { needs: 'contacts:write', own: 201, send: () => json({ name: 'Ada' }) },
  'GET /v1/contacts/:id': { needs: 'contacts:read', object: 'contact', own: 200 },
  'PATCH /v1/contacts/:id': {
    needs: 'contacts:write',
    object: 'contact',
    own: 200,
    send: () => json({ note: 'x' }, ifMatch),
  },
  'DELETE /v1/contacts/:id': { needs: 'contacts:write', object: 'contact', own: 204 },
};

export interface Cell {
  readonly route: string;
  readonly relation: Relation;
  readonly caller: Caller;
  readonly status: number;
}

/** Every route for every kind of caller and, where it is about an object, their own, another's and a missing one. */
export const cells: readonly Cell[] = Object.entries(matrix).flatMap(([route, row]) =>
  relationsOf(row).flatMap((relation) =>
    (Object.keys(callers) as Caller[]).map((caller) => ({
      route,
      relation,
      caller,
      status: statusOf(row, caller, relation),
    })),
  ),
);

/** Those that call and, for objects that are not theirs, another. */
export interface Cast {
  readonly caller: Account | undefined;
  /** What the caller sends: an access token or an API key. */
  readonly bearer: string | undefined;
  readonly other: Account;
}

export async function newCast(app: TestApp, name: Caller): Promise<Cast> {
  const other = await newAccount(app);
  const permissions = callers[name];
  if (!permissions) return { caller: undefined, bearer: undefined, other };
  const caller = await (name.endsWith('administrator') ? newAdmin(app) : newAccount(app));
  if (!name.startsWith('an API key')) return { caller, bearer: caller.token, other };
  const json = { name, scopes: [...permissions] };
  const apiKey = await app.post('/v1/api-keys', json, caller.token);
  return { caller, bearer: apiKey.string('key'), other };
}

/** The request of a cell, its object made just now. */
export async function requestOf(app: TestApp, { route, relation }: Cell, { caller, other }: Cast) {
  const [method = '', pattern = ''] = route.split(' ');
  const { object, send } = matrix[route] ?? {};
  const owner = relation === 'own' && caller ? caller : other;
  const reference: Reference = !object
    ? {}
    : relation === 'missing'
      ? objects[object].missing
      : await objects[object].make(app, owner);
  const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => reference[name] ?? '');
  return { method, path, exchange: send?.(reference) ?? {} };
}

function relationsOf({ object }: Row): Relation[] {
  return object ? ['own', 'foreign', 'missing'] : ['own'];
}

function statusOf({ needs, own, foreign = 404, missing = 404 }: Row, caller: Caller, relation: Relation) {
  const held: ReadonlySet<Permission> | undefined = callers[caller];
  if (needs !== 'nothing') {
    if (!held) return 401;
    if (!held.has(needs)) return 403;
  }
  return { own, foreign, missing }[relation];
}
