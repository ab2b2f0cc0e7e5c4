import { randomInt } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { newRequestId } from '../../src/common/id.js';
import { newEmail } from '../support/accounts.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { TcpRelay } from '../support/tcp-relay.js';
import { newTestApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const redisUrl = process.env['TEST_REDIS_URL'];
const WRONG = { email: newEmail(), password: 'wrong horse battery staple' };

/** Nobody else's address, so that what other tests do isn't counted for it. */
function newAddress(): string {
  return [10, randomInt(256), randomInt(256), randomInt(256)].join('.');
}

describe('a rate limit', () => {
  let app: TestApp;
  const others: TestApp[] = [];
  afterEach(async () => {
    await Promise.all(others.splice(0).map((other) => other.close()));
    await app.close();
  });

  async function start(environment: Record<string, string>): Promise<void> {
    app = await newTestApp({ environment: { TRUSTED_PROXIES: '127.0.0.1', ...environment } });
  }

  async function startAnother(environment: Record<string, string> = {}): Promise<TestApp> {
    const other = await app.newInstance(environment);
    others.push(other);
    return other;
  }

  async function ask(times: number, from: string, to = app, path = '/health/live'): Promise<HttpsResponse[]> {
    const responses: HttpsResponse[] = [];
    while (responses.length < times) {
      const headers = { 'x-forwarded-for': from };
      const exchange = path.includes('login') ? { headers, json: WRONG } : { headers };
      responses.push(await to.request(path.includes('login') ? 'POST' : 'GET', path, exchange));
    }
    return responses;
  }

  async function granted(times: number, from: string, to = app, path?: string): Promise<number> {
    const responses = await ask(times, from, to, path);
    return responses.filter(({ status }) => status !== 429).length;
  }

  it('grants a client 100 requests a minute unless told otherwise, whatever they ask for', async () => {
    await start({ RATE_LIMIT_PER_MINUTE: '' });
    const address = newAddress();
    for (const path of ['/health/live', '/nothing', '/v1/contacts', '/docs']) {
      expect(await granted(25, address, app, path)).toBe(25);
    }
    const [refused] = await ask(1, address);
    expect(expectProblem(refused as HttpsResponse, 'ERR_RATE_LIMITED')['detail']).toMatch(
      /too many requests/,
    );
    expect(refused?.headers['retry-after']).toBe('60');
    expect(await granted(1, newAddress())).toBe(1);
    app.clock.advance(60);
    expect(await granted(101, address)).toBe(100);
  });

  it('grants a client 10 requests a minute of those that sign in, however the path is written', async () => {
    await start({ AUTH_RATE_LIMIT_PER_MINUTE: '' });
    const address = newAddress();
    expect(await granted(5, address, app, '/v1/auth/login')).toBe(5);
    expect(await granted(6, address, app, '/v1/%61uth/login')).toBe(5);
    expect(await granted(1, address, app, '/v1/auth/sessions')).toBe(0);
    const [refused] = await ask(1, address, app, '/v1/auth/login');
    expectProblem(refused as HttpsResponse, 'ERR_RATE_LIMITED');
    expect(await granted(1, address, app, '/v1/contacts')).toBe(1);
    for (const [method, path, first] of [
      ['DELETE', '/v1/users/me', 429],
      ['GET', '/v1/users/me', 401],
      ['POST', `/v1/shares/${newRequestId()}/reveal`, 429],
    ] as const) {
      const { status } = await app.request(method, path, { headers: { 'x-forwarded-for': address } });
      expect([method, path, status]).toEqual([method, path, first]);
    }
  });

  it('counts an IPv6 network as one client', async () => {
    await start({ RATE_LIMIT_PER_MINUTE: '2' });
    const network = `2001:db8:${randomInt(65_536).toString(16)}:1`;
    expect(await granted(1, `${network}::1`)).toBe(1);
    expect(await granted(1, `${network}:ffff::2`)).toBe(1);
    expect(await granted(1, `${network}::3`)).toBe(0);
    expect(await granted(1, `2001:db8:1:${randomInt(2, 65_536).toString(16)}::3`)).toBe(1);
  });

  it('is none where it is 0', async () => {
    await start({});
    expect(await granted(120, newAddress())).toBe(120);
    expect(app.secure.rateLimits.store).toBe('off');
  });

  it('counts by itself without Redis, and says so', async () => {
    await start({ RATE_LIMIT_PER_MINUTE: '2' });
    const other = await startAnother();
    const address = newAddress();
    expect(await granted(3, address)).toBe(2);
    expect(await granted(3, address, other)).toBe(2);
    expect(app.secure.rateLimits).toMatchObject({ store: 'memory', isDegraded: false });
    expect((await app.get('/health/ready')).body).toEqual({ status: 'ok' });
  });

  (redisUrl === undefined ? describe.skip : describe)('in Redis', () => {
    let relay: TcpRelay;
    async function startBehindRelay(): Promise<void> {
      const { hostname, port } = new URL(redisUrl ?? '');
      relay = await TcpRelay.open({ host: hostname, port: Number(port) });
      await start({ RATE_LIMIT_PER_MINUTE: '4', REDIS_URL: `redis://127.0.0.1:${relay.port}` });
    }

    it('is one for all instances, in a race of 32 too, and says so', async () => {
      await start({ RATE_LIMIT_PER_MINUTE: '16', REDIS_URL: redisUrl ?? '' });
      const other = await startAnother();
      expect(app.secure.rateLimits).toMatchObject({ store: 'redis', isDegraded: false });
      const race = (addressOf: () => string) =>
        Promise.all(
          Array.from({ length: 32 }, (_, index) => granted(1, addressOf(), index % 2 === 0 ? app : other)),
        );
      // The connections are made first: 32 handshakes in this one process could keep Redis's answers waiting.
      await race(newAddress);
      const address = newAddress();
      const counts = await race(() => address);
      expect(counts.filter((count) => count === 1)).toHaveLength(16);
      const [refused] = await ask(1, address, other);
      expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(50);
      expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(60);
    });

    it('is over for a refused client when it is over in Redis, on every instance', async () => {
      await start({ RATE_LIMIT_PER_MINUTE: '2', REDIS_URL: redisUrl ?? '' });
      const other = await startAnother();
      const address = newAddress();
      expect(await granted(2, address)).toBe(2);
      expect(await granted(3, address, other)).toBe(0);
      const redis = new Redis(redisUrl ?? '');
      expect(await redis.del(`rate-limit:all:${address}`)).toBe(1);
      redis.disconnect();
      expect(await granted(2, address, other)).toBe(2);
    });

    it('outlives an instance', async () => {
      await start({ RATE_LIMIT_PER_MINUTE: '2', REDIS_URL: redisUrl ?? '' });
      const address = newAddress();
      expect(await granted(2, address)).toBe(2);
      expect(await granted(1, address, await startAnother())).toBe(0);
    });

    it('goes on for each instance by itself while Redis is gone, and readiness tells', async () => {
      await startBehindRelay();
      const other = await startAnother();
      expect(app.secure.rateLimits.store).toBe('redis');
      await relay.cut();
      await until(() => app.secure.rateLimits.isDegraded && other.secure.rateLimits.isDegraded);
      const address = newAddress();
      expect(await granted(5, address)).toBe(4);
      expect(await granted(5, address, other)).toBe(4);
      const ready = await app.get('/health/ready');
      expect(ready).toMatchObject({ status: 200, body: { status: 'degraded' } });

      await relay.mend();
      await until(() => !app.secure.rateLimits.isDegraded && !other.secure.rateLimits.isDegraded);
      const next = newAddress();
      expect((await granted(5, next)) + (await granted(5, next, other))).toBe(4);
      await relay.cut();
    });

    it('keeps nobody from starting, or from being served, while Redis is not there', async () => {
      await start({ RATE_LIMIT_PER_MINUTE: '2', REDIS_URL: 'redis://127.0.0.1:1' });
      expect(app.secure.rateLimits).toMatchObject({ store: 'memory', isDegraded: true });
      expect(await granted(3, newAddress())).toBe(2);
    });
  });
});
