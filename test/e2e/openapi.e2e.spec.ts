import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemCatalogue } from '../../src/common/problem-catalogue.js';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { type Exchange } from '../support/https-client.js';
import { type Schema, schemaFaults } from '../support/openapi-schema.js';
import { cells } from '../support/route-matrix.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Answer {
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, object>>;
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema & { readonly example?: unknown };
  }[];
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The status that is expected, the route, where it is called and with what. */
type Call = readonly [status: number, route: string, path: string, exchange: Exchange];

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDetails' } } };
const READING = ['400', '408', '413', '414', '421', '429', '431', '500', '503'];
/** Which answers have them is in the document; the others are in every answer. */
const DESCRIBED_HEADERS = ['X-Request-Id', 'ETag', 'Location', 'Retry-After', 'WWW-Authenticate'];
const WRITING = [...READING, '415'];

describe('the OpenAPI document', () => {
  let app: TestApp;
  let document: Document;
  let operations: Map<string, Operation>;
  beforeAll(async () => {
    app = await newTestApp();
    document = (await app.get('/openapi.json')).body as Document;
    operations = new Map(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation]),
      ),
    );
  });
  afterAll(() => app.close());

  /** What a reference leads to. */
  function resolve(reference: string): unknown {
    const steps = reference.replace(/^#\//, '').split('/');
    return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], document);
  }

  function resolved(response: object | undefined): unknown {
    return response && '$ref' in response ? resolve(String(response.$ref)) : response;
  }

  /** What of an answer is not as it is described. */
  async function differences(...[status, route, path, exchange]: Call): Promise<string[]> {
    const [method = ''] = route.split(' ');
    const response = await app.request(method, path, exchange);
    const answer = resolved(operations.get(route)?.responses[response.status]) as Answer | undefined;
    const described = Object.keys(answer?.headers ?? {});
    const sent = DESCRIBED_HEADERS.filter((name) => response.headers[name.toLowerCase()] !== undefined);
    const [media] = Object.values(answer?.content ?? {});
    const faults = [
      ...(response.status === status ? [] : [`is ${response.status}: ${response.text}`]),
      ...(media ? schemaFaults(response.body, media.schema, resolve) : [response.text].filter(Boolean)),
      ...sent.filter((name) => !described.includes(name)).map((name) => `sends ${name}`),
      ...described.filter((name) => !sent.includes(name)).map((name) => `lacks ${name}`),
    ];
    return faults.map((fault) => `${status} of ${route} ${fault}`);
  }

  it('is of version 3.1, names each operation once and refers to nothing that is not there', () => {
    expect(document.openapi).toBe('3.1.0');
    const ids = [...operations.values()].map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g);
    for (const [, reference = ''] of references) {
      expect({ reference, to: resolve(reference) }).toEqual({ reference, to: expect.any(Object) });
    }
  });

  it('says of every operation what any request can meet, as a problem document', () => {
    for (const [name, { responses }] of operations) {
      for (const status of name.startsWith('GET ') ? READING : WRITING) {
        const response = resolved(responses[status]);
        expect({ name, status, response }).toMatchObject({
          response: { description: expect.any(String), content: PROBLEM },
        });
      }
    }
  });

  it('says of every operation what the matrix of routes gets from it', () => {
    const missing = cells
      .map(({ route, status }) => ({ name: route.replaceAll(/:(\w+)/g, '{$1}'), status }))
      .filter(({ name, status }) => operations.has(name) && !operations.get(name)?.responses[status]);
    expect(missing).toEqual([]);
  });

  it('knows no refusal that the catalogue of errors does not', () => {
    const statuses = new Set(Object.values(problemCatalogue).map(({ status }) => String(status)));
    const listed = [...operations.values()].flatMap(({ responses }) => Object.keys(responses));
    expect(listed.filter((status) => Number(status) >= 400 && !statuses.has(status))).toEqual([]);
  });

  it('has for every body an example that is as it describes, and allows no other fields', () => {
    const bodies = [...operations].flatMap(([name, { requestBody }]) =>
      Object.values(requestBody?.content ?? {}).map((media) => ({ name, media })),
    );
    expect(bodies.length).toBeGreaterThan(15);
    const wrong = bodies.filter(({ media: { schema, example } }) => {
      const described = resolved(schema) as Schema & { readonly example?: unknown };
      const isOpen = described.properties !== undefined && described.additionalProperties !== false;
      return isOpen || schemaFaults(example ?? described.example, schema, resolve).length > 0;
    });
    expect(wrong).toEqual([]);
  });

  it('gives a condition or a query no value that the page would send unasked, but where one is needed', () => {
    const filledIn = [...operations].flatMap(([name, { parameters = [] }]) =>
      parameters
        .filter(({ in: place, required, schema }) => place !== 'path' && !required && 'example' in schema)
        .map((parameter) => `${name} ${parameter.name}`),
    );
    expect(filledIn).toEqual([]);
  });

  it('says how a name looks, how many entries a record may have, and that readiness needs no token', () => {
    const name = operations.get('GET /v1/secrets/{name}')?.parameters?.find((one) => one.in === 'path');
    expect(name?.schema).toMatchObject({ type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' });
    const body = resolve('#/components/schemas/PutSecretBody') as Schema;
    expect(body.properties).toMatchObject({ data: { maxProperties: 100 }, metadata: { maxProperties: 100 } });
    expect(operations.get('GET /health/ready')?.security).toEqual(
      expect.arrayContaining([{}, { bearer: [] }]),
    );
  });

  describe('describes what is really answered', () => {
    let owner: Account;
    let admin: Account;
    beforeAll(async () => {
      owner = await newAccount(app);
      admin = await newAdmin(app);
    });

    it('by contacts', async () => {
      const { token } = owner;
      const made = await app.post('/v1/contacts', { name: 'Ada', note: 'x' }, token);
      const path = `/v1/contacts/${made.string('id')}`;
      const calls: Call[] = [
        [
          201,
          'POST /v1/contacts',
          '/v1/contacts',
          { token, json: { name: 'Grace', email: 'grace@example.com' } },
        ],
        [400, 'POST /v1/contacts', '/v1/contacts', { token, json: { name: 7 } }],
        [401, 'GET /v1/contacts', '/v1/contacts', {}],
        [200, 'GET /v1/contacts', '/v1/contacts', { token }],
        [200, 'GET /v1/contacts/{id}', path, { token }],
        [412, 'GET /v1/contacts/{id}', path, { token, headers: { 'if-match': '"7"' } }],
        [428, 'PATCH /v1/contacts/{id}', path, { token, json: { note: null } }],
        [
          200,
          'PATCH /v1/contacts/{id}',
          path,
          { token, json: { note: null }, headers: { 'if-match': '"1"' } },
        ],
        [204, 'DELETE /v1/contacts/{id}', path, { token }],
        [404, 'GET /v1/contacts/{id}', path, { token }],
      ];
      for (const call of calls) expect(await differences(...call)).toEqual([]);
    });

    it('by secrets, grants and shares', async () => {
      const { token } = owner;
      const path = '/v1/secrets/described';
      const json = { data: { v: '1' } };
      const patch = { token, raw: '{"v":"2"}', headers: { 'content-type': 'application/merge-patch+json' } };
      const calls: Call[] = [
        [201, 'PUT /v1/secrets/{name}', path, { token, json }],
        [200, 'PUT /v1/secrets/{name}', path, { token, json }],
        [200, 'GET /v1/secrets/{name}', path, { token }],
        [200, 'PATCH /v1/secrets/{name}', path, patch],
        [200, 'PATCH /v1/secrets/{name}/metadata', `${path}/metadata`, patch],
        [200, 'GET /v1/secrets', '/v1/secrets', { token }],
        [200, 'GET /v1/secrets/{name}/versions', `${path}/versions`, { token }],
        [200, 'POST /v1/secrets/{name}/rollback', `${path}/rollback`, { token, json: { version: 1 } }],
        [201, 'POST /v1/secrets/{name}/grants', `${path}/grants`, { token, json: { userId: admin.id } }],
        [204, 'DELETE /v1/secrets/{name}', `${path}?versions=1`, { token }],
        [410, 'GET /v1/secrets/{name}', `${path}?version=1`, { token }],
        [200, 'POST /v1/secrets/{name}/undelete', `${path}/undelete`, { token, json: { versions: [1] } }],
        [409, 'POST /v1/secrets/{name}/undelete', `${path}/undelete`, { token, json: { versions: [1] } }],
        [200, 'GET /v1/secrets/{name}/grants', `${path}/grants`, { token }],
        [200, 'GET /v1/grants', '/v1/grants', { token: admin.token }],
        [201, 'POST /v1/shares', '/v1/shares', { token, json }],
        [200, 'GET /v1/shares', '/v1/shares', { token }],
      ];
      for (const call of calls) expect(await differences(...call)).toEqual([]);
    });

    it('by accounts, the audit log and health', async () => {
      const { token } = admin;
      const login = { email: owner.email, password: 'not the right password' };
      const calls: Call[] = [
        [401, 'POST /v1/auth/login', '/v1/auth/login', { json: login }],
        [
          409,
          'POST /v1/auth/register',
          '/v1/auth/register',
          { json: { ...login, password: 'a long phrase of nobody' } },
        ],
        [200, 'GET /v1/auth/sessions', '/v1/auth/sessions', { token }],
        [200, 'GET /v1/users/me', '/v1/users/me', { token }],
        [200, 'GET /v1/users', '/v1/users', { token }],
        [200, 'GET /v1/audit', '/v1/audit', { token }],
        [200, 'GET /v1/audit/checkpoint', '/v1/audit/checkpoint', { token }],
        [200, 'POST /v1/audit/verify', '/v1/audit/verify', { token }],
        [200, 'GET /health/live', '/health/live', {}],
        [200, 'GET /health/ready', '/health/ready', { token }],
      ];
      for (const call of calls) expect(await differences(...call)).toEqual([]);
    });
  });
});
