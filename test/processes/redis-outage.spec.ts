import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Build, type Running } from '../support/built-server.js';
import { environmentIn } from '../support/test-app.js';

const PROGRAM = 'redis-server';
const redisUrl = process.env['TEST_REDIS_URL'];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Keeps nothing, and takes connections once this returns. */
async function startRedis(port: number): Promise<ChildProcess> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const redis = spawn(PROGRAM, settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const data of redis.stdout) {
    output += String(data);
    if (output.includes('Ready to accept connections')) break;
  }
  return redis;
}

async function endAsByPowerCut(redis: ChildProcess): Promise<void> {
  redis.kill('SIGKILL');
  await once(redis, 'exit');
}

async function storeInStartLineOf(server: Running): Promise<unknown> {
  await server.says('"msg":"listening"');
  const line = server.output.split('\n').find((text) => text.includes('"msg":"listening"')) ?? '';
  return (JSON.parse(line) as { rateLimits: unknown }).rateLimits;
}

describe('a server that counts requests', () => {
  let build: Build;
  let environment: Readonly<Record<string, string>>;
  let directory: string;
  beforeAll(async () => {
    build = await Build.create();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(build.directory, 'data-'));
    environment = { ...environmentIn(directory), LOG_LEVEL: 'info', RATE_LIMIT_PER_MINUTE: '100000' };
  });
  afterAll(() => build.remove());

  it.each([
    ['off', { RATE_LIMIT_PER_MINUTE: '0' }],
    ['memory', {}],
    ['memory', { REDIS_URL: 'redis://127.0.0.1:1' }],
  ])('says where in the line of its start: %s', async (store, settings) => {
    const server = build.run('main.js', [], { ...environment, ...settings });
    expect(await storeInStartLineOf(server)).toBe(store);
    expect(await server.stop()).toBe(0);
  });

  (redisUrl === undefined ? describe.skip : describe)('in Redis', () => {
    it('goes on when it is gone, logs that once, is degraded meanwhile and no longer when it is back', async () => {
      const port = await freePort();
      let redis = await startRedis(port);
      const server = build.run('main.js', [], { ...environment, REDIS_URL: `redis://127.0.0.1:${port}` });
      expect(await storeInStartLineOf(server)).toBe('redis');
      const client = await server.client(join(directory, 'certs'));
      const ready = async () => (await client.get('/health/ready')).members['status'];
      expect(await ready()).toBe('ok');

      await endAsByPowerCut(redis);
      while ((await ready()) === 'ok');
      for (let times = 0; times < 50; times += 1) expect(await ready()).toBe('degraded');

      redis = await startRedis(port);
      while ((await ready()) === 'degraded');
      expect(await ready()).toBe('ok');
      client.close();
      expect(await server.stop()).toBe(0);
      await endAsByPowerCut(redis);
      const said = server.output.split('\n').filter((line) => line.includes('"context":"RateLimits"'));
      expect(said.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
        'Redis does not answer: rate limits are counted by each instance for itself',
        'rate limits are shared again',
      ]);
    });
  });
});
