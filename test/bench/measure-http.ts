import { join } from 'node:path';
import { logIn, register } from './accounts.ts';
import type { BareServerOptions } from './bare-server.process.ts';
import { Child } from './child.ts';
import { type Deployment, freePort, withServer } from './deployment.ts';
import { type Message, type Origin, requestBytes, send, untilItAnswers } from './https-client.ts';
import type { Load, LoadDriverApi, Run, RunBounds } from './load-driver.process.ts';
import { median, spread, type Spread } from './statistics.ts';
import type { UsageApi } from './usage-reporter.ts';

const CONNECTIONS = 32;
/** Many short turns rather than a few long ones: noise that lasts falls on neighbours alike. */
const MAX_ROUNDS = 45;
const MIN_ROUNDS = 5;
/** No further round begins after this time. */
const BUDGET_MS = 75_000;
const MEASURED: RunBounds = { maxRequests: 3_000, maxMs: 5_000 };
const WARM_UP: RunBounds = { maxRequests: 500, maxMs: 2_000 };
/** Enough for the optimising compiler to be through with a handler. */
const FIRST_WARM_UP: RunBounds = { maxRequests: 120_000, maxMs: 15_000 };
const PROFILED: RunBounds = { maxRequests: 30_000, maxMs: 15_000 };

interface HttpFigures {
  readonly cpuMicrosPerRequest: number;
  /** CPU per request in relation to the bare server's in the same round. */
  readonly cpuRatio: Spread;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface HttpResult {
  readonly connections: number;
  readonly rounds: number;
  readonly requestsPerRound: number;
  readonly bare: HttpFigures;
  readonly live: HttpFigures;
  readonly contact: HttpFigures;
  readonly rssAfterLoadMib: number;
}

export interface MeasuredServer {
  readonly server: Child<UsageApi>;
  readonly load: Load;
}

export type Sample = Run & { readonly cpuMicrosPerRequest: number };
type Round = { readonly [Name in 'bare' | 'live' | 'contact']: Sample };

/**
 * Measures a bare server, the liveness route and the read of one contact in turns, so that whatever
 * else the machine does meanwhile falls on all three.
 *
 * @param profileDirectory - where to write a profile of the server while it reads contacts, if anywhere
 */
export async function measureHttp(deployment: Deployment, profileDirectory?: string): Promise<HttpResult> {
  return withServer(deployment, async (server) => {
    const { origin } = deployment;
    const startedAtMs = performance.now();
    const { requests, answer } = await newContacts(origin);
    const bare = await startBareServer(deployment, answer);
    const driver = new Child<LoadDriverApi>(new URL('load-driver.process.ts', import.meta.url));
    try {
      await expectSameAnswer(bare.origin, answer);
      const live = [requestBytes(origin, 'GET', '/health/live')];
      const targets = {
        bare: {
          server: bare.server,
          load: { origin: bare.origin, requests, connections: CONNECTIONS, isBusyWaiting: true },
        },
        live: { server, load: { origin, requests: live, connections: CONNECTIONS, isBusyWaiting: true } },
        contact: { server, load: { origin, requests, connections: CONNECTIONS, isBusyWaiting: true } },
      };
      for (const target of Object.values(targets)) await measure(driver, target, FIRST_WARM_UP, WARM_UP);
      const rounds: Round[] = [];
      const isEnough = () => rounds.length >= MIN_ROUNDS && performance.now() - startedAtMs > BUDGET_MS;
      while (rounds.length < MAX_ROUNDS && !isEnough()) {
        rounds.push({
          bare: await measure(driver, targets.bare, WARM_UP, MEASURED),
          live: await measure(driver, targets.live, WARM_UP, MEASURED),
          contact: await measure(driver, targets.contact, WARM_UP, MEASURED),
        });
      }
      if (profileDirectory !== undefined) await profile(driver, targets.contact, profileDirectory);
      return summarise(rounds, await server.call('rssMib'));
    } finally {
      await Promise.all([driver.stop(), bare.server.stop()]);
    }
  });
}

/** One user with a contact for each connection, all of one size, and the answer to the first request. */
async function newContacts(origin: Origin): Promise<{ requests: string[]; answer: Message }> {
  const token = await logIn(origin, await register(origin, 'ada'));
  const paths: string[] = [];
  while (paths.length < CONNECTIONS) {
    const json = {
      name: 'Grace Brewster Murray Hopper',
      email: `grace.hopper.${String(paths.length).padStart(2, '0')}@navy.example.org`,
      phone: '+1 202 555 0106',
      note: 'Prefers calls before noon. Asked for the compiler manual, second edition.',
    };
    const { headers } = await send(origin, 'POST', '/v1/contacts', 201, { json, token });
    paths.push(headers.location ?? '');
  }
  const answer = await send(origin, 'GET', paths[0] ?? '', 200, { token });
  return { requests: paths.map((path) => requestBytes(origin, 'GET', path, { token })), answer };
}

/** Answers every request with the message, under the TLS options of the server. */
export async function startBareServer({ origin: { ca }, certFile, keyFile }: Deployment, message: Message) {
  const keepAliveSeconds = Number(/timeout=(\d+)/.exec(String(message.headers['keep-alive']))?.[1]);
  const port = await freePort();
  const options: BareServerOptions = {
    port,
    certFile,
    keyFile,
    keepAliveTimeoutMs: keepAliveSeconds * 1_000,
    message,
  };
  const server = new Child<UsageApi>(new URL('bare-server.process.ts', import.meta.url), {
    environment: { NODE_ENV: 'production', BARE_SERVER: JSON.stringify(options) },
    preload: new URL('usage-reporter.ts', import.meta.url),
  });
  const origin = { port, ca };
  await untilItAnswers(origin, '/');
  return { server, origin };
}

/** A bare server that answered anything else would be no measure. */
async function expectSameAnswer(bare: Origin, wanted: Message): Promise<void> {
  const got = await send(bare, 'GET', '/', wanted.status);
  if (undated(got) !== undated(wanted)) {
    throw new Error(`the bare server answers ${undated(got)}, want ${undated(wanted)}`);
  }
}

function undated({ status, headers, body }: Message): string {
  const fields = Object.entries(headers).filter(([name]) => name !== 'date');
  return JSON.stringify([
    status,
    fields.map(([name, value]) => `${name}: ${String(value)}`).toSorted(),
    body,
  ]);
}

export async function measure(
  driver: Child<LoadDriverApi>,
  { server, load }: MeasuredServer,
  warmUp: RunBounds,
  bounds: RunBounds,
): Promise<Sample> {
  await driver.call('open', load);
  await driver.call('run', warmUp);
  const before = await server.call('cpuMicros');
  const run = await driver.call('run', bounds);
  const after = await server.call('cpuMicros');
  await driver.call('close');
  return { ...run, cpuMicrosPerRequest: (after - before) / run.requests };
}

async function profile(
  driver: Child<LoadDriverApi>,
  target: MeasuredServer,
  directory: string,
): Promise<void> {
  await target.server.call('startProfile');
  await measure(driver, target, WARM_UP, PROFILED);
  await target.server.call('stopProfile', join(directory, 'contact.cpuprofile'));
}

function summarise(rounds: readonly Round[], rssAfterLoadMib: number): HttpResult {
  const figures = (name: keyof Round): HttpFigures => {
    const samples = rounds.map((round) => round[name]);
    const ratios = rounds.map((round) => round[name].cpuMicrosPerRequest / round.bare.cpuMicrosPerRequest);
    return {
      cpuMicrosPerRequest: median(samples.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest)),
      cpuRatio: spread(ratios),
      requestsPerSecond: median(samples.map(({ requests, elapsedMs }) => requests / (elapsedMs / 1_000))),
      p50Ms: median(samples.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
    };
  };
  return {
    connections: CONNECTIONS,
    rounds: rounds.length,
    requestsPerRound: MEASURED.maxRequests,
    bare: figures('bare'),
    live: figures('live'),
    contact: figures('contact'),
    rssAfterLoadMib,
  };
}
