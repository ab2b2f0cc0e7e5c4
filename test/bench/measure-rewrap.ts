import { setTimeout as delay } from 'node:timers/promises';
import { register, logIn } from './accounts.ts';
import { Child } from './child.ts';
import { type Deployment, withServer } from './deployment.ts';
import { type Origin, requestBytes, send } from './https-client.ts';
import type { LoadDriverApi, RunBounds } from './load-driver.process.ts';
import type { RewrapApi } from './rewrap.process.ts';

const DATA_KEYS = 100_000;
const CONNECTIONS = 32;
const WARM_UP: RunBounds = { maxRequests: 20_000, maxMs: 2_000 };
const MEASURED: RunBounds = { maxRequests: 40_000, maxMs: 3_000 };
const POLL_MS = 100;
/** A rotation is begun once every instance knows the new key. */
const SETTLE_MS = 2_500;

export interface RewrapResult {
  readonly dataKeys: number;
  /** Of the process that re-wraps all of them. */
  readonly cpuMs: number;
  /** Of contact reads while the server itself re-wraps them. */
  readonly p99DuringMs: number;
  readonly p99QuietMs: number;
}

/** Re-wraps many data keys of one user: once in a process alone, and once in the server while it is read from. */
export async function measureRewrap(deployment: Deployment): Promise<RewrapResult> {
  const { origin, environment } = deployment;
  const { owner, path, login } = await withServer(deployment, () => newOwner(origin));
  const worker = new Child<RewrapApi>(new URL('rewrap.process.ts', import.meta.url), { environment });
  const driver = new Child<LoadDriverApi>(new URL('load-driver.process.ts', import.meta.url));
  try {
    await worker.call('makeDataKeys', owner, DATA_KEYS);
    const { cpuMs, keys } = await worker.call('rotate', owner);
    if (keys < DATA_KEYS) throw new Error(`re-wrapped ${keys} data keys, want ${DATA_KEYS}`);

    const jobId = await worker.call('begin', owner);
    await delay(SETTLE_MS);
    return await withServer(deployment, async () => {
      const token = await logIn(origin, login);
      const requests = [requestBytes(origin, 'GET', path, { token })];
      const readP99Ms = async () => {
        await driver.call('open', { origin, requests, connections: CONNECTIONS, isBusyWaiting: true });
        await driver.call('run', WARM_UP);
        const { p99Ms } = await driver.call('run', MEASURED);
        await driver.call('close');
        return p99Ms;
      };
      const p99DuringMs = await readP99Ms();
      if (await worker.call('isFinished', jobId)) throw new Error('the rotation ended before the reads did');
      while (!(await worker.call('isFinished', jobId))) await delay(POLL_MS);
      return { dataKeys: keys, cpuMs, p99DuringMs, p99QuietMs: await readP99Ms() };
    });
  } finally {
    await Promise.all([worker.stop(), driver.stop()]);
  }
}

async function newOwner(origin: Origin) {
  const login = await register(origin, 'ada');
  const token = await logIn(origin, login);
  const json = { name: 'Grace Brewster Murray Hopper', email: 'grace.hopper@navy.example.org' };
  const { headers } = await send(origin, 'POST', '/v1/contacts', 201, { json, token });
  const me: { readonly id: string } = JSON.parse(
    (await send(origin, 'GET', '/v1/users/me', 200, { token })).body,
  );
  return { owner: me.id, path: headers.location ?? '', login };
}
