import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type RequestLogFields } from '../../src/common/json-logger.js';
import { newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { requestLinesOf } from '../support/request-lines.js';
import { newTestApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const CREDENTIALS = JSON.stringify({ email: newEmail(), password: PASSWORD });

describe('the log line of a request', () => {
  let app: TestApp;
  let lines: RequestLogFields[];
  beforeAll(async () => {
    app = await newTestApp();
  });
  beforeEach(() => {
    lines = requestLinesOf(app);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => app.close());

  /** Sends a login of which so much arrives, and resolves when the server has begun with it. */
  async function beginLogin(sentBytes: number): Promise<TLSSocket> {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port), ca: app.ca });
    const begun = once(app.nest.getHttpServer(), 'request');
    const head = `POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${CREDENTIALS.length}`;
    socket.on('error', () => {}).write(`${head}\r\n\r\n${CREDENTIALS.slice(0, sentBytes)}`);
    await begun;
    return socket;
  }

  it('has the status of the answer', async () => {
    const answer = await app.get('/health/live');
    await until(() => lines.length > 0);
    expect(lines).toEqual([
      {
        requestId: answer.headers['x-request-id'],
        method: 'GET',
        route: '/health/live',
        status: 200,
        durationMs: expect.any(Number),
        ip: '127.0.0.1',
      },
    ]);
  });

  it.each([
    ['its body is there', 10],
    ['it is answered', CREDENTIALS.length],
  ])('is written once and has none when the client goes away before %s', async (_moment, sentBytes) => {
    const fault = jest.spyOn(app.secure.logger, 'error');
    const socket = await beginLogin(sentBytes);
    socket.destroy();
    await until(() => lines.length > 0);
    const line = { method: 'POST', route: '/v1/auth/login', status: undefined, ip: '127.0.0.1' };
    expect(lines).toEqual([expect.objectContaining(line)]);
    // Later than whatever the other one still had to do.
    await app.request('POST', '/v1/auth/login', { json: JSON.parse(CREDENTIALS) });
    await until(() => lines.length > 1);
    expect(lines.map(({ status }) => status)).toEqual([undefined, 401]);
    expect(fault).not.toHaveBeenCalled();
  });

  it('has no address when the connection is reset with the request, which is not served then', async () => {
    const { token } = await newAccount(app);
    const limited = await app.newInstance({ RATE_LIMIT_PER_MINUTE: '100' });
    for (const at of [app, limited]) {
      const found = requestLinesOf(at);
      const fault = jest.spyOn(at.secure.logger, 'error');
      const { hostname, port } = new URL(at.url);
      const connection = connectTcp(Number(port), hostname).on('error', () => {});
      const socket = connect({ socket: connection, ca: at.ca, servername: 'localhost' });
      socket.on('error', () => {});
      await once(socket, 'session');
      // Both sides are done with the handshake then: the request and the reset arrive together.
      await immediate();
      socket.write(
        `POST /v1/auth/logout HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      connection.resetAndDestroy();
      await until(() => found.length > 0);
      expect(found).toEqual([expect.objectContaining({ status: undefined, ip: undefined })]);
      expect((await at.get('/v1/users/me', token)).status).toBe(200);
      expect(fault).not.toHaveBeenCalled();
    }
    await limited.close();
  });
});
