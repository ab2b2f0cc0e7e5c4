import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type RequestLogFields } from '../../src/common/json-logger.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { sendRaw } from '../support/raw-connection.js';
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
    lines = [];
    jest.spyOn(app.secure.logger, 'request').mockImplementation((line) => void lines.push(line));
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
