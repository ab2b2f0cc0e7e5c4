import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { parseAnswer, sendRaw } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const BODY_LIMIT_BYTES = 64 * 1024;

describe('a request body', () => {
  let app: TestApp;
  let user: Account;
  beforeAll(async () => {
    app = await newTestApp();
    user = await newAccount(app);
  });
  afterAll(() => app.close());

  function post(
    raw: string | Uint8Array,
    headers: Record<string, string> = JSON_TYPE,
  ): Promise<HttpsResponse> {
    return app.request('POST', '/v1/contacts', { token: user.token, raw, headers });
  }

  it.each([
    ['{'],
    ['{"name":"x"} x'],
    ["{'name':'x'}"],
    ['{"name":"x",}'],
    ['{"name":NaN}'],
    ['\u0000'],
    [''],
  ])('answers malformed JSON %j with 400', async (raw) => {
    expectProblem(await post(raw), 'ERR_MALFORMED_REQUEST');
  });

  it('does not repeat the body in its answer', async () => {
    expect((await post('{"name": hunter2')).text).not.toContain('hunter2');
    expect((await post('{"name": 7, "email": "hunter2"}')).text).not.toContain('hunter2');
  });

  it.each([['[]'], ['[{"name":"x"}]'], ['"name"'], ['7'], ['true'], ['null']])(
    'refuses %s, which is no object, where a body is required and where every field is optional',
    async (raw) => {
      expect(badFields(await post(raw))).toEqual(['']);
      const created = await post('{"name":"x"}');
      const patch = await app.request('PATCH', String(created.headers.location), {
        token: user.token,
        raw,
        headers: { ...JSON_TYPE, 'if-match': '"1"' },
      });
      expect(badFields(patch)).toEqual(['']);
    },
  );

  it.each([['constructor'], ['toString'], ['prototype'], ['hasOwnProperty'], ['__defineGetter__'], ['x']])(
    'refuses the unknown field %s',
    async (name) => {
      expect(badFields(await post(`{"name":"x","${name}":"y"}`))).toEqual([`/${name}`]);
    },
  );

  it('refuses __proto__ wherever it stands', async () => {
    for (const raw of [
      '{"name":"x","__proto__":{}}',
      '{"name":{"__proto__":{}}}',
      '{"name":"x","\\u005f_proto__":1}',
    ]) {
      expectProblem(await post(raw), 'ERR_MALFORMED_REQUEST');
    }
  });

  it('refuses a body nested deeper than 32 levels, however deep', async () => {
    for (const depth of [33, 1_000, 30_000]) {
      expect(badFields(await post(`{"name":${'['.repeat(depth)}${']'.repeat(depth)}}`))).toEqual(['']);
    }
    expect(badFields(await post(`{"name":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`))).toEqual(['']);
  });

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/xml'],
    ['application/merge-patch+json'],
    ['application/jsonp'],
    ['x'],
  ])('takes JSON only: %s is 415', async (type) => {
    expectProblem(await post('{"name":"x"}', { 'content-type': type }), 'ERR_UNSUPPORTED_MEDIA_TYPE');
  });

  it.each([['Application/JSON; charset=UTF-8'], ['application/json;charset="utf-8"']])(
    'takes JSON that says it is UTF-8: %s',
    async (type) => {
      expect((await post('{"name":"ä"}', { 'content-type': type })).status).toBe(201);
    },
  );

  it.each([
    ['application/json; charset=utf-16'],
    ['application/json; charset=latin1'],
    ['application/json; charset=utf-8; charset=latin1'],
    ['application/json; profile="x"'],
    ['application/json, text/plain'],
  ])('takes no other: %s is 415', async (type) => {
    expectProblem(await post('{"name":"x"}', { 'content-type': type }), 'ERR_UNSUPPORTED_MEDIA_TYPE');
  });

  it.each([['gzip'], ['identity'], ['br, gzip'], ['']])(
    'takes no Content-Encoding: %j is 415',
    async (coding) => {
      for (const method of ['POST', 'PATCH', 'DELETE']) {
        const headers = { ...JSON_TYPE, 'content-encoding': coding };
        const exchange = { token: user.token, raw: '{"name":"x"}', headers };
        const response = await app.request(method, '/v1/contacts/x', exchange);
        expectProblem(response, 'ERR_UNSUPPORTED_MEDIA_TYPE');
      }
    },
  );

  it.each<[string, string | Uint8Array]>([
    ['a key twice', '{"name":"x","name":"y"}'],
    ['a key twice, the second escaped', '{"name":"x","n\\u0061me":"y"}'],
    ['a key twice in what is refused later', '{"name":{"a":1,"a":2}}'],
    ['bytes that are no UTF-8', Buffer.from('7b226e616d65223a22ff227d', 'hex')],
    ['a byte order mark', '\ufeff{"name":"x"}'],
    ['half of a surrogate pair', '{"name":"\\ud800"}'],
  ])('refuses %s', async (_claim, raw) => {
    expectProblem(await post(raw), 'ERR_MALFORMED_REQUEST');
  });

  it('refuses a body of 64 KiB and one byte, with and without a declared length', async () => {
    const raw = `{"name":"${'x'.repeat(BODY_LIMIT_BYTES)}"}`.slice(0, BODY_LIMIT_BYTES - 1) + '"}';
    expect(raw).toHaveLength(BODY_LIMIT_BYTES + 1);
    expectProblem(await post(raw), 'ERR_BODY_TOO_LARGE');
    const headers = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
    const undeclared = await app.request('POST', '/v1/contacts', { token: user.token, raw, headers });
    expectProblem(undeclared, 'ERR_BODY_TOO_LARGE');
  });

  const LIVE = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n';

  it.each([
    ['GET with chunks', `${LIVE}Transfer-Encoding: chunked\r\n\r\n`, 'ERR_MALFORMED_REQUEST'],
    ['GET with another coding', `${LIVE}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'ERR_MALFORMED_REQUEST'],
    [
      'GET with chunks in HTTP/1.0',
      `${LIVE.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n`,
      'ERR_MALFORMED_REQUEST',
    ],
    [
      'POST with another coding on an absolute target',
      'POST https://localhost/health/live HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
      'ERR_MALFORMED_REQUEST',
    ],
    ['GET with a long body', `${LIVE}Content-Length: ${BODY_LIMIT_BYTES + 1}\r\n\r\n`, 'ERR_BODY_TOO_LARGE'],
    [
      'DELETE with a long body',
      `${LIVE.replace('GET', 'DELETE')}Content-Length: 20000000\r\n\r\n`,
      'ERR_BODY_TOO_LARGE',
    ],
  ] as const)('is refused by its fields alone, and closed: %s', async (_claim, bytes, code) => {
    const response = await sendRaw(app, bytes);
    expectProblem(response, code);
    expect(response.headers.connection).toBe('close');
  });

  it('of HEAD is refused as that of GET', async () => {
    const response = await sendRaw(app, `${LIVE.replace('GET', 'HEAD')}Transfer-Encoding: chunked\r\n\r\n`);
    expect(response).toMatchObject({ status: 400, headers: { connection: 'close' } });
  });

  it('of GET takes no Content-Encoding either', async () => {
    const exchange = { raw: 'x', headers: { 'content-encoding': 'gzip' } };
    expectProblem(await app.request('GET', '/health/live', exchange), 'ERR_UNSUPPORTED_MEDIA_TYPE');
  });

  const WAITING = 'Content-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\n';

  it('is asked for where the client waits for that', async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect({ host: hostname, port: Number(port), ca: app.ca });
    socket.write(`POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\n${WAITING}Content-Length: 2\r\n\r\n`);
    const [asked] = (await once(socket, 'data')) as [Buffer];
    expect(asked.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{}');
    expectProblem(parseAnswer(await text(socket)), 'ERR_VALIDATION');
  });

  it.each([
    ['its length', 'POST /v1/auth/login', `Host: localhost\r\nContent-Length: ${BODY_LIMIT_BYTES + 1}`, 413],
    [
      'its coding',
      'POST /v1/auth/login',
      'Host: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 2',
      415,
    ],
    ['its host', 'POST /v1/auth/login', 'Host: evil.example\r\nContent-Length: 2', 421],
    ['its method', 'PUT /v1/auth/login', 'Host: localhost\r\nContent-Length: 2', 405],
    ['a path that leads nowhere', 'POST /nothing', 'Host: localhost\r\nContent-Length: 2', 404],
    ['its target', 'POST /%zz', 'Host: localhost\r\nContent-Length: 2', 400],
  ])('is not asked for where the request is refused for %s', async (_claim, line, fields, status) => {
    const response = await sendRaw(app, `${line} HTTP/1.1\r\n${fields}\r\n${WAITING}\r\n`);
    expect(response).toMatchObject({ status, headers: { connection: 'close' } });
    expect(response.members).toMatchObject({ status });
  });

  it.each([
    ['GET with a length', `${LIVE}Content-Length: 10\r\n\r\nx`, 200],
    [
      'POST where nothing is',
      'POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
      404,
    ],
  ])('that never ends is not waited for, and gets no second answer: %s', async (_claim, bytes, status) => {
    const startedAtMs = performance.now();
    const response = await sendRaw(app, bytes);
    expect(response.status).toBe(status);
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
    expect(response.text).not.toContain('HTTP/1.1');
  });
});
