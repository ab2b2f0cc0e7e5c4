import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Build, type Running } from '../support/built-server.js';
import { type HttpsClient } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { parseAnswer } from '../support/raw-connection.js';
import { environmentIn } from '../support/test-app.js';

const CLIENTS = 300;
/** So many handshakes at a time: this process answers for them too. */
const BATCH = 4;
const DRIP_INTERVAL_MS = 1_000;
const SAMPLE_INTERVAL_MS = 50;
/** For a machine that does other things too. */
const TOLERANCE_MS = 1_000;

const HEAD = 'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

/** A connection, how many milliseconds it lasted and what came back. */
interface Client {
  readonly socket: TLSSocket;
  readonly closed: Promise<number>;
  answer: string;
}

describe('300 slow clients', () => {
  let build: Build;
  let server: Running;
  let live: HttpsClient;
  let ca: string;
  let port: number;
  beforeAll(async () => {
    build = await Build.create();
    const directory = await mkdtemp(join(build.directory, 'data-'));
    server = build.run('main.js', [], { ...environmentIn(directory), LOG_LEVEL: 'info' });
    live = await server.client(join(directory, 'certs'));
    ca = await readFile(join(directory, 'certs', 'ca.pem'), 'utf8');
    port = Number(new URL(live.url).port);
  }, 60_000);
  afterAll(async () => {
    live.close();
    await server.stop();
    await build.remove();
  });

  async function openClient(first: string): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port, ca });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    const openedAtMs = performance.now();
    const closed = once(socket, 'close').then(() => performance.now() - openedAtMs);
    const client: Client = { socket, closed, answer: '' };
    socket.on('data', (data: Buffer) => {
      client.answer += data.toString('latin1');
    });
    if (first !== '') socket.write(first);
    return client;
  }

  /** Milliseconds that `/health/live` took, again and again until `isDone`. */
  async function sampleLive(isDone: () => boolean): Promise<number[]> {
    const samples: number[] = [];
    while (!isDone()) {
      const startedAtMs = performance.now();
      expect((await live.get('/health/live')).status).toBe(200);
      samples.push(performance.now() - startedAtMs);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_INTERVAL_MS));
    }
    return samples.toSorted((one, other) => one - other);
  }

  it.each([
    ['of header fields', `${HEAD}X-Slow: `, 'x', 10_000, / 408 /],
    ['of a body', `${HEAD}Content-Length: 1000\r\n\r\n{"email":"`, 'x', 15_000, / 408 /],
    ['that send nothing', '', '', 10_000, /^$|^HTTP\/1\.1 408 /],
  ])(
    '%s are closed in time and leave others their turn',
    async (_claim, first, drip, limitMs, answer) => {
      let isOver = false;
      const sampling = sampleLive(() => isOver);
      const clients: Client[] = [];
      const dripping = setInterval(() => {
        for (const { socket } of clients) if (drip !== '' && socket.writable) socket.write(drip);
      }, DRIP_INTERVAL_MS);
      while (clients.length < CLIENTS) {
        clients.push(...(await Promise.all(Array.from({ length: BATCH }, () => openClient(first)))));
      }
      const lifetimes = await Promise.all(clients.map(({ closed }) => closed));
      clearInterval(dripping);
      isOver = true;
      const samples = await sampling;
      expect(lifetimes).toHaveLength(CLIENTS);
      expect(Math.max(...lifetimes)).toBeLessThan(limitMs + TOLERANCE_MS);
      expect(Math.min(...lifetimes)).toBeGreaterThan(limitMs / 2);
      expect(clients.filter((client) => !answer.test(client.answer))).toHaveLength(0);
      const answered = clients.filter((client) => client.answer !== '');
      for (const client of answered) expectProblem(parseAnswer(client.answer), 'ERR_REQUEST_TIMEOUT');
      expect(samples.length).toBeGreaterThan(50);
      expect(samples[Math.floor(samples.length * 0.99)]).toBeLessThan(500);
    },
    60_000,
  );

  it('is what one that stays idle after an answer is not: it is closed after 5 s', async () => {
    const client = await openClient('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const lifetimeMs = await client.closed;
    expect(client.answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(lifetimeMs).toBeGreaterThan(4_000);
    expect(lifetimeMs).toBeLessThan(5_000 + TOLERANCE_MS);
  }, 20_000);

  it('sends blank lines after an answer and is closed after 5 s all the same', async () => {
    const client = await openClient('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const lines = setInterval(() => client.socket.write('\r\n'), DRIP_INTERVAL_MS);
    const lifetimeMs = await client.closed;
    clearInterval(lines);
    expect(client.answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(lifetimeMs).toBeGreaterThan(4_000);
    expect(lifetimeMs).toBeLessThan(5_000 + TOLERANCE_MS);
  }, 20_000);

  it('is none while an answer is on its way, also to requests that it sent ahead', async () => {
    const one = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const client = await openClient(`${one}${HEAD}Content-Length: 1000\r\n\r\n{`);
    const lifetimeMs = await client.closed;
    expect(client.answer).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 408 /);
    expect(lifetimeMs).toBeGreaterThan(10_000);
  }, 20_000);
});
