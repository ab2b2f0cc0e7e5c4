import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { RouteTable } from '../../src/http/route-table.js';
import { expectProblem } from '../support/problems.js';
import { parseAnswer } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const LIVE = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

describe('requests of one turn of the event loop', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await newTestApp();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => app.close());

  async function open(): Promise<TLSSocket> {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port), ca: app.ca });
    await once(socket, 'secureConnect');
    return socket;
  }

  it('are answered when one of them meets a fault, and that one with 500', async () => {
    jest.spyOn(RouteTable.prototype, 'refusal').mockImplementationOnce(() => {
      throw new Error('a fault of the server');
    });
    const sockets = await Promise.all([open(), open(), open()]);
    for (const socket of sockets) socket.write(LIVE);
    const answers = (await Promise.all(sockets.map((socket) => text(socket)))).map(parseAnswer);
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      200, 200, 500,
    ]);
    for (const fault of answers.filter(({ status }) => status === 500)) expectProblem(fault, 'ERR_INTERNAL');
  });
});
