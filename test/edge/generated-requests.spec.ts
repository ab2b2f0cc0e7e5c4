import { sample } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ErrorCode } from '../../src/common/problem-catalogue.js';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { type HttpsResponse } from '../support/https-client.js';
import { type GeneratedRequest, type OpenApiDocument, requestsFor } from '../support/openapi-requests.js';
import { expectProblem, expectSecurityHeaders } from '../support/problems.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const REQUESTS = 5_000;
/** The same requests in each run; another seed, other requests. */
const SEED = 20_261_125;
/** Few enough that no queue fills up. */
const LANES = 4;

describe('5 000 requests made from the OpenAPI document', () => {
  let app: TestApp;
  let user: Account;
  let administrator: Account;
  let requests: GeneratedRequest[];
  const statuses = new Map<number, number>();
  const undocumented = new Set<string>();

  beforeAll(async () => {
    app = await newTestApp();
    [user, administrator] = await Promise.all([newAccount(app), newAdmin(app)]);
    const document = (await app.get('/openapi.json')).body as OpenApiDocument;
    const contact = await app.post('/v1/contacts', { name: 'Ada' }, user.token);
    await app.request('PUT', '/v1/secrets/known', { token: user.token, json: { data: { a: 'b' } } });
    const arbitrary = requestsFor(document, { id: [contact.string('id'), user.id], name: ['known', 'new'] });
    requests = sample(arbitrary, { numRuns: REQUESTS, seed: SEED });
  }, 60_000);
  afterAll(() => app.close());

  function credentials(caller: GeneratedRequest['caller']): { readonly token?: string } {
    if (caller === 'nobody') return {};
    if (caller === 'forged') return { token: `${user.token.slice(0, -4)}AAAA` };
    return { token: caller === 'user' ? user.token : administrator.token };
  }

  async function send({
    method,
    path,
    exchange,
    caller,
    statuses: documented,
  }: GeneratedRequest): Promise<void> {
    const response = await app.request(method, path, { ...exchange, ...credentials(caller) });
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    expectSound(method, path, response);
    if (documented?.has(response.status) === false) undocumented.add(`${method} ${path}: ${response.status}`);
    // Some routes end the session or the account: the next requests should get further than 401.
    if (response.status === 401 && caller === 'user') user = await renewed(user, newAccount);
    if (response.status === 401 && caller === 'administrator') {
      administrator = await renewed(administrator, newAdmin);
    }
  }

  async function renewed(account: Account, make: (app: TestApp) => Promise<Account>): Promise<Account> {
    const { status } = await app.get('/v1/users/me', account.token);
    return status === 200 ? account : make(app);
  }

  it('get no 5xx; every answer is in the document and has all header fields, every refusal is a problem', async () => {
    const waiting = requests.values();
    const lane = async () => {
      for (const request of waiting) await send(request);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBe(REQUESTS);
    // They are no requests that all fail at the first check.
    for (const status of [200, 400, 401, 404, 405, 413, 415])
      expect(statuses.get(status)).toBeGreaterThan(10);
    expect((await app.get('/health/ready')).status).toBe(200);
    expect([...undocumented]).toEqual([]);
  }, 600_000);
});

function expectSound(method: string, path: string, response: HttpsResponse): void {
  const { status, headers, text } = response;
  const about = { method, path, status, text: text.slice(0, 500) };
  if (status >= 500) throw new Error(`a fault: ${JSON.stringify(about)}`);
  expectSecurityHeaders(response);
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers).toHaveProperty('cache-control');
  if (status < 300 || method === 'HEAD') return;
  try {
    expectProblem(response, response.members['code'] as ErrorCode);
  } catch (error) {
    throw new Error(`no problem document: ${JSON.stringify(about)}`, { cause: error });
  }
}
