import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { connect as connectPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errorCode } from '../../src/common/error-code.js';
import { Build } from '../support/built-server.js';
import { newPostgresDatabase, testPostgresUrl } from '../support/postgres-database.js';
import { expectProblem } from '../support/problems.js';
import { parseAnswer } from '../support/raw-connection.js';
import { TcpRelay } from '../support/tcp-relay.js';
import { environmentIn } from '../support/test-app.js';

const STOP_LIMIT_MS = 10_000;
const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;
const HEAD = 'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

/** `connected`, or the code of the error. */
async function connectOutcome(port: number): Promise<unknown> {
  const socket = connectPlain({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return errorCode(error);
  } finally {
    socket.destroy();
  }
}

describe('SIGTERM', () => {
  let build: Build;
  let directory: string;
  beforeAll(async () => {
    build = await Build.create();
    directory = await mkdtemp(join(build.directory, 'data-'));
  }, 60_000);
  afterAll(() => build.remove());

  it('ends the process with 0 within 10 s, whatever its clients hold open', async () => {
    const environment = { ...environmentIn(directory), LOG_LEVEL: 'info', HTTP_REDIRECT_PORT: '0' };
    const server = build.run('main.js', [], environment);
    const { port } = new URL((await server.url()) ?? '');
    const ca = await readFile(join(directory, 'certs', 'ca.pem'), 'utf8');
    // The line may come in pieces: the address before the port.
    while (!/"redirectPort":\d+\D/.test(server.output)) await nextTurn();
    const redirectPort = Number(/"redirectPort":(\d+)/.exec(server.output)?.[1]);

    const open = async (first: string): Promise<Socket> => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), ca });
      await once(
        socket.on('error', () => {}),
        'secureConnect',
      );
      if (first !== '') socket.write(first);
      return socket.resume();
    };
    const clients = await Promise.all([
      open(''),
      open(HEAD),
      open(`${HEAD}Content-Length: 100\r\n\r\n{`),
      open('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    ]);
    const plain = connectPlain({ host: '127.0.0.1', port: redirectPort });
    await once(
      plain.on('error', () => {}),
      'connect',
    );
    // Their bytes have arrived when a later request of another client is answered.
    await once(await open('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'data');

    const startedAtMs = performance.now();
    server.signal('SIGTERM');
    await server.says('"msg":"stopping"');
    // What more signals come changes nothing.
    server.signal('SIGINT');
    expect(await server.stop()).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(STOP_LIMIT_MS);
    for (const socket of [...clients, plain]) socket.destroy();
  }, 60_000);

  it('lets a request in flight finish, and refuses new ones and new connections meanwhile', async () => {
    const server = build.run('main.js', [], { ...environmentIn(directory), LOG_LEVEL: 'info' });
    const client = await server.client(join(directory, 'certs'));
    const port = Number(new URL(client.url).port);
    const ca = await readFile(join(directory, 'certs', 'ca.pem'), 'utf8');
    const begin = async (first: string) => {
      const socket = connect({ host: '127.0.0.1', port, ca });
      await once(socket, 'secureConnect');
      socket.write(first);
      return { socket, answer: text(socket) };
    };
    const inFlight = await begin(`${HEAD}Content-Length: 2\r\n\r\n{`);
    const late = await begin('GET /health/live HTTP/1.1\r\n');
    // Their bytes have arrived when a later request is answered.
    expect((await client.get('/health/live')).status).toBe(200);

    server.signal('SIGTERM');
    await server.says('"msg":"stopping"');
    while ((await connectOutcome(port)) === 'connected') await nextTurn();
    late.socket.write('Host: localhost\r\n\r\n');
    const refused = parseAnswer(await late.answer);
    expectProblem(refused, 'ERR_UNAVAILABLE');
    expect(refused.headers).toMatchObject({ connection: 'close', 'retry-after': '5' });
    expect(await connectOutcome(port)).toBe('ECONNREFUSED');
    inFlight.socket.write('}');
    expectProblem(parseAnswer(await inFlight.answer), 'ERR_VALIDATION');
    expect(await server.exitCode()).toBe(0);
    client.close();
  }, 60_000);

  describePostgres('while PostgreSQL says nothing', () => {
    it('ends it too, and logs that not everything was closed', async () => {
      const database = await newPostgresDatabase();
      const url = new URL(database.url);
      const relay = await TcpRelay.open({ host: url.hostname, port: Number(url.port || '5432') });
      url.hostname = '127.0.0.1';
      url.port = String(relay.port);
      const environment = { ...environmentIn(directory), LOG_LEVEL: 'info', DATABASE_URL: url.href };
      const server = build.run('main.js', [], environment);
      const client = await server.client(join(directory, 'certs'));
      expect((await client.get('/health/ready')).status).toBe(200);

      relay.stall();
      const startedAtMs = performance.now();
      expect(await server.stop()).toBe(0);
      expect(performance.now() - startedAtMs).toBeLessThan(STOP_LIMIT_MS);
      expect(server.output).toContain('stopped before everything was closed');
      client.close();
      await relay.cut();
      await database.drop();
    }, 60_000);
  });
});
