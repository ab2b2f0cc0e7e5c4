import { once } from 'node:events';
import { type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { parseAnswer } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

describe('a stop', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let user: Account;
    beforeAll(async () => {
      app = await newApp();
      user = await newAccount(app);
    });
    afterAll(() => app.close());

    it('lets a request in flight finish and refuses new connections', async () => {
      const stopping = await app.newInstance();
      const server = stopping.nest.getHttpServer() as Server;
      const { port } = new URL(stopping.url);
      const body = '{"name":"in flight"}';
      const socket = connect({ host: '127.0.0.1', port: Number(port), ca: stopping.ca });
      const answer = text(socket);
      const head = [
        'POST /v1/contacts HTTP/1.1',
        'Host: localhost',
        `Authorization: Bearer ${user.token}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
      await once(server, 'request');

      const closed = stopping.close();
      while (server.listening) await new Promise((resolve) => setImmediate(resolve));
      const late = connect({ host: '127.0.0.1', port: Number(port), ca: stopping.ca });
      const [refusal] = (await once(late, 'error')) as [NodeJS.ErrnoException];
      expect(refusal.code).toBe('ECONNREFUSED');

      socket.write(body.slice(5));
      expect(await answer).toMatch(/^HTTP\/1\.1 201 Created\r\n(.+\r\n)*connection: close\r\n/i);
      await closed;
      const { items } = await app.get('/v1/contacts', user.token);
      expect(items).toMatchObject([{ name: 'in flight' }]);
    });

    it('ends idle connections at once', async () => {
      const stopping = await app.newInstance();
      const { port } = new URL(stopping.url);
      const idle = connect({ host: '127.0.0.1', port: Number(port), ca: stopping.ca });
      await once(idle, 'secureConnect');
      idle.resume().write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(idle, 'data');
      await Promise.all([once(idle, 'close'), stopping.close()]);
      expect(idle.destroyed).toBe(true);
    });
  });
});

describe('a request that arrives during a stop', () => {
  const HEAD = 'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  let stopping: TestApp;
  let closed: Promise<void>;
  let finish: () => Promise<unknown>;
  beforeEach(async () => {
    stopping = await newTestApp();
  });
  afterEach(async () => {
    await finish();
    await closed;
  });

  async function open(): Promise<TLSSocket> {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(stopping.url).port), ca: stopping.ca });
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Returns once the server takes no more connections; what is in flight keeps it from being closed. */
  async function beginStop(): Promise<void> {
    const server = stopping.nest.getHttpServer() as Server;
    const inFlight = await open();
    inFlight.write(`${HEAD}Content-Length: 2\r\n\r\n{`);
    await once(server, 'request');
    finish = () => {
      inFlight.write('}');
      return text(inFlight);
    };
    closed = stopping.close();
    while (server.listening) await new Promise((resolve) => setImmediate(resolve));
  }

  it.each([
    ['a route', 'GET /health/live'],
    ['no route', 'GET /nothing'],
    ['a route of another method', 'GET /v1/auth/login'],
    ['a target that the router cannot decode', 'GET /%zz'],
    ['a path segment that the router finds too long', `GET /v1/contacts/${'x'.repeat(600)}`],
    ['a target without a slash', 'GET *'],
    ['a body that never comes', `POST /v1/auth/login`],
  ])('is refused with 503 and its connection ends, whatever it asks for: %s', async (_claim, line) => {
    const connection = await open();
    // Idle, it would end at once. The handshake of the next connection takes longer than this to arrive.
    connection.write(`${line} HTTP/1.1\r\n`);
    await beginStop();
    connection.write('Host: localhost\r\nContent-Length: 9\r\n\r\n');
    const refused = parseAnswer(await text(connection));
    expectProblem(refused, 'ERR_UNAVAILABLE');
    expect(refused.headers).toMatchObject({
      connection: 'close',
      'retry-after': '5',
      'cache-control': 'no-store',
    });
  });

  it('is not answered on a connection whose last answer said that it closes', async () => {
    const connection = await open();
    const server = stopping.nest.getHttpServer() as Server;
    connection.write(`${HEAD}Content-Length: 2\r\n\r\n{`);
    await once(server, 'request');
    await beginStop();
    connection.write('}GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const answers = await text(connection);
    expect(answers.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(parseAnswer(answers)).toMatchObject({ status: 400, headers: { connection: 'close' } });
  });
});
