import { logIn, register } from './accounts.ts';
import type { Argon2BoundApi } from './argon2-bound.process.ts';
import { Child } from './child.ts';
import { type Deployment, withServer } from './deployment.ts';
import { type Origin, requestBytes } from './https-client.ts';
import type { Load, LoadDriverApi, Run, RunBounds } from './load-driver.process.ts';
import { median, spread, type Spread } from './statistics.ts';

const CONNECTIONS = 32;
const ROUNDS = 11;
const BOUND_MS = 1_500;
const WARM_UP: RunBounds = { maxRequests: 64, maxMs: 1_500 };
/** Enough for the optimising compiler to be through with what a login runs. */
const FIRST_WARM_UP: RunBounds = { maxRequests: 1_500, maxMs: 10_000 };
const MEASURED: RunBounds = { maxRequests: 10_000, maxMs: 2_500 };
/** Ends before the logins do, so that every probe meets them; seldom enough to cost them nothing. */
const PROBED: RunBounds = { maxRequests: 10_000, maxMs: MEASURED.maxMs - 200 };
const PROBE_PAUSE_MS = 50;

export interface LoginsResult {
  readonly connections: number;
  readonly rounds: number;
  readonly loginsPerSecond: number;
  readonly boundPerSecond: number;
  /** Logins in relation to the mean of the bounds measured right before and after them. */
  readonly ofBound: Spread;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of /health/live while the logins run. */
  readonly liveP99Ms: Spread;
  readonly liveProbes: number;
}

/** Logins, and a route that waits for no hash, at the same time. */
interface Round {
  readonly logins: Run;
  readonly live: Run;
}

/**
 * Measures logins with the right password, one user a connection, in turns with what the machine can
 * hash; and how fast the server answers others meanwhile.
 */
export async function measureLogins(deployment: Deployment): Promise<LoginsResult> {
  return withServer(deployment, async () => {
    const { origin } = deployment;
    const [driver, prober] = [newDriver(), newDriver()];
    const bound = new Child<Argon2BoundApi>(new URL('argon2-bound.process.ts', import.meta.url));
    const hashesPerSecond = () => bound.call('hashesPerSecond', BOUND_MS);
    try {
      const requests = await newLogins(origin);
      const rounds: Round[] = [];
      const bounds = [await hashesPerSecond()];
      while (rounds.length < ROUNDS) {
        await driver.call('open', { origin, requests, connections: CONNECTIONS });
        await driver.call('run', rounds.length === 0 ? FIRST_WARM_UP : WARM_UP);
        // Not before: the server closes a connection that says nothing for as long as the first warm-up takes.
        await prober.call('open', liveProbe(origin));
        const [logins, live] = await Promise.all([driver.call('run', MEASURED), prober.call('run', PROBED)]);
        await Promise.all([driver.call('close'), prober.call('close')]);
        rounds.push({ logins, live });
        bounds.push(await hashesPerSecond());
      }
      return summarise(rounds, bounds);
    } finally {
      await Promise.all([driver, prober, bound].map((child) => child.stop()));
    }
  });
}

function newDriver(): Child<LoadDriverApi> {
  return new Child(new URL('load-driver.process.ts', import.meta.url));
}

async function newLogins(origin: Origin): Promise<string[]> {
  const users = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, index) => register(origin, `user.${index}`)),
  );
  await Promise.all(users.map((user) => logIn(origin, user)));
  return users.map((json) => requestBytes(origin, 'POST', '/v1/auth/login', { json }));
}

function liveProbe(origin: Origin): Load {
  const requests = [requestBytes(origin, 'GET', '/health/live')];
  return { origin, requests, connections: 1, pauseMs: PROBE_PAUSE_MS };
}

function summarise(rounds: readonly Round[], bounds: readonly number[]): LoginsResult {
  const rates = rounds.map(({ logins }) => logins.requests / (logins.elapsedMs / 1_000));
  const boundOf = (round: number) => ((bounds[round] ?? Number.NaN) + (bounds[round + 1] ?? Number.NaN)) / 2;
  return {
    connections: CONNECTIONS,
    rounds: ROUNDS,
    loginsPerSecond: median(rates),
    boundPerSecond: median(bounds),
    ofBound: spread(rates.map((rate, round) => rate / boundOf(round))),
    p50Ms: median(rounds.map(({ logins }) => logins.p50Ms)),
    p99Ms: median(rounds.map(({ logins }) => logins.p99Ms)),
    liveP99Ms: spread(rounds.map(({ live }) => live.p99Ms)),
    liveProbes: rounds.reduce((sum, { live }) => sum + live.requests, 0),
  };
}
