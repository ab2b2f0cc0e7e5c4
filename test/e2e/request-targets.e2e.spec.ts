import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type RequestLogFields } from '../../src/common/json-logger.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { sendRaw } from '../support/raw-connection.js';
import { requestLinesOf } from '../support/request-lines.js';
import { newTestApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const HOST = 'Host: localhost\r\n';
/** Which a router could take for `/health/live`, `/` and `/x`, or for none of them. */
const TARGETS = ['*health/live', '*', '*/', '*?x', 'https://localhost?/x'];

function ask(app: TestApp, target: string, fields = HOST, version = '1.1'): Promise<HttpsResponse> {
  return sendRaw(app, `GET ${target} HTTP/${version}\r\n${fields}\r\n`);
}

describe('a target that begins with no slash', () => {
  let app: TestApp;
  let lines: RequestLogFields[];
  beforeAll(async () => {
    app = await newTestApp();
  });
  beforeEach(() => {
    lines = requestLinesOf(app);
  });
  afterAll(() => app.close());

  it.each(TARGETS)('is refused with 400, closed and logged: %s', async (target) => {
    const response = await ask(app, target);
    expectProblem(response, 'ERR_MALFORMED_REQUEST');
    expect(response.headers).toMatchObject({ connection: 'close', 'cache-control': 'no-store' });
    await until(() => lines.length > 0);
    const requestId = response.headers['x-request-id'];
    expect(lines).toEqual([expect.objectContaining({ requestId, method: 'GET', status: 400 })]);
  });

  it.each(['*health/live', '*'])('is refused for what else is wrong with the request: %s', async (target) => {
    expectProblem(await ask(app, target, 'Host: evil.example\r\n'), 'ERR_MISDIRECTED_REQUEST');
    expectProblem(await ask(app, target, `${HOST}${'A: b\r\n'.repeat(100)}`), 'ERR_HEADERS_TOO_LARGE');
    for (const [fields, version] of [
      [`${HOST}${HOST}`, '1.1'],
      ['', '1.1'],
      [HOST, '2.0'],
    ]) {
      expectProblem(await ask(app, target, fields, version), 'ERR_MALFORMED_REQUEST');
    }
  });

  it('names the server as a whole in OPTIONS *, which no route answers', async () => {
    const response = await sendRaw(app, `OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expectProblem(response, 'ERR_NOT_FOUND');
  });

  it('may be absolute with an empty path', async () => {
    const response = await ask(app, 'https://localhost?x', `${HOST}Connection: close\r\n`);
    expect(response.status).toBe(200);
  });
});

describe('a target that the router refuses', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await newTestApp({ environment: { RATE_LIMIT_PER_MINUTE: '40' } });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => app.close());

  const tooLong = `/v1/contacts/${'x'.repeat(600)}`;

  it.each([
    ['/%zz', 'ERR_MALFORMED_REQUEST'],
    ['https://localhost:99999/x', 'ERR_MALFORMED_REQUEST'],
    [tooLong, 'ERR_URI_TOO_LONG'],
  ] as const)('is logged, whether it was read or was too long: %s', async (target, code) => {
    const lines = requestLinesOf(app);
    const response = await ask(app, target, `${HOST}Connection: close\r\n`);
    expectProblem(response, code);
    await until(() => lines.length > 0);
    const requestId = response.headers['x-request-id'];
    expect(lines).toEqual([
      expect.objectContaining({ requestId, route: 'unknown', status: response.status, ip: '127.0.0.1' }),
    ]);
  });

  it.each([['/%zz'], [tooLong]])('is refused for what else is wrong, and closed: %s', async (target) => {
    const misdirected = await ask(app, target, 'Host: evil.example\r\n');
    expectProblem(misdirected, 'ERR_MISDIRECTED_REQUEST');
    const crowded = await ask(app, target, `${HOST}${'A: b\r\n'.repeat(100)}`);
    expectProblem(crowded, 'ERR_HEADERS_TOO_LARGE');
    for (const fields of [`${HOST}${HOST}`, '']) {
      const malformed = await ask(app, target, fields);
      expectProblem(malformed, 'ERR_MALFORMED_REQUEST');
      expect(malformed.headers.connection).toBe('close');
    }
    for (const { headers } of [misdirected, crowded]) expect(headers.connection).toBe('close');
  });

  it('counts as a request', async () => {
    const statuses: number[] = [];
    while (statuses.length < 41) statuses.push((await app.get('/%zz')).status);
    expect(statuses[0]).toBe(400);
    expect(statuses.at(-1)).toBe(429);
  });
});
