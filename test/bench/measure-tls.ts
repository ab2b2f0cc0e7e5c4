import { Child } from './child.ts';
import { type Deployment, withServer } from './deployment.ts';
import type { HandshakeDriverApi } from './handshake-driver.process.ts';
import { type Origin, send } from './https-client.ts';
import { startBareServer } from './measure-http.ts';
import { median, spread, type Spread } from './statistics.ts';
import type { UsageApi } from './usage-reporter.ts';

/** At a time: enough to keep one core of the server busy. */
const CONNECTIONS = 8;
const HANDSHAKES = 400;
/** Until the optimising compiler is through with what a connection runs. */
const WARM_UP_HANDSHAKES = 2_000;
const ROUNDS = 11;

interface HandshakeFigures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  /** Handshakes per second in relation to the bare server's in the same round. */
  readonly ofBare: Spread;
  /** The same by what the server's CPU could do, if the client were no bound. */
  readonly ofBareByCpu: Spread;
}

export interface TlsResult {
  readonly connections: number;
  readonly rounds: number;
  readonly handshakesPerRound: number;
  readonly bare: { readonly full: HandshakeFigures; readonly resumed: HandshakeFigures };
  readonly server: { readonly full: HandshakeFigures; readonly resumed: HandshakeFigures };
}

interface Target {
  readonly server: Child<UsageApi>;
  readonly origin: Origin;
}
interface Sample {
  readonly perSecond: number;
  readonly cpuMicros: number;
}
type Round = { readonly [Name in 'bare' | 'server']: { readonly full: Sample; readonly resumed: Sample } };

/** Measures TLS 1.3 handshakes with a bare server and with ours in turns. */
export async function measureTls(deployment: Deployment): Promise<TlsResult> {
  return withServer(deployment, async (server) => {
    const { origin } = deployment;
    const bare = await startBareServer(deployment, await send(origin, 'GET', '/health/live', 200));
    const driver = new Child<HandshakeDriverApi>(new URL('handshake-driver.process.ts', import.meta.url));
    try {
      const own = { server, origin };
      const both = async (handshakes: number): Promise<Round> => ({
        bare: await measureBoth(driver, bare, handshakes),
        server: await measureBoth(driver, own, handshakes),
      });
      await both(WARM_UP_HANDSHAKES);
      const rounds: Round[] = [];
      while (rounds.length < ROUNDS) rounds.push(await both(HANDSHAKES));
      return summarise(rounds);
    } finally {
      await Promise.all([driver.stop(), bare.server.stop()]);
    }
  });
}

async function measureBoth(driver: Child<HandshakeDriverApi>, target: Target, handshakes: number) {
  return {
    full: await measure(driver, target, handshakes, false),
    resumed: await measure(driver, target, handshakes, true),
  };
}

async function measure(
  driver: Child<HandshakeDriverApi>,
  { server, origin }: Target,
  handshakes: number,
  isResumed: boolean,
): Promise<Sample> {
  const before = await server.call('cpuMicros');
  const elapsedMs = await driver.call('run', { origin, isResumed, connections: CONNECTIONS, handshakes });
  const cpuMicros = ((await server.call('cpuMicros')) - before) / handshakes;
  return { perSecond: (handshakes / elapsedMs) * 1_000, cpuMicros };
}

function summarise(rounds: readonly Round[]): TlsResult {
  const figures = (name: keyof Round, kind: 'full' | 'resumed'): HandshakeFigures => ({
    perSecond: median(rounds.map((round) => round[name][kind].perSecond)),
    cpuMicros: median(rounds.map((round) => round[name][kind].cpuMicros)),
    ofBare: spread(rounds.map((round) => round[name][kind].perSecond / round.bare[kind].perSecond)),
    ofBareByCpu: spread(rounds.map((round) => round.bare[kind].cpuMicros / round[name][kind].cpuMicros)),
  });
  const both = (name: keyof Round) => ({ full: figures(name, 'full'), resumed: figures(name, 'resumed') });
  return {
    connections: CONNECTIONS,
    rounds: rounds.length,
    handshakesPerRound: HANDSHAKES,
    bare: both('bare'),
    server: both('server'),
  };
}
