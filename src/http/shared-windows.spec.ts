import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRedis } from '../../test/support/fake-redis.js';
import { TcpRelay } from '../../test/support/tcp-relay.js';
import { until } from '../../test/support/until.js';
import { SharedWindows } from './shared-windows.js';

const redisUrl = process.env['TEST_REDIS_URL'];

/** Takes connections and says nothing. */
class SilentServer {
  readonly #sockets: Socket[] = [];
  readonly #server: Server = createServer((socket) => {
    this.#sockets.push(socket.on('error', () => {}));
  });

  async listen(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('SharedWindows', () => {
  let lines: { level: string; fields: object; message: string }[];
  let windows: SharedWindows | undefined;
  beforeEach(() => {
    lines = [];
  });
  afterEach(() => windows?.close());

  function write(level: string) {
    return (fields: object, message: string) => {
      lines.push({ level, fields, message });
    };
  }

  async function connect(url: string): Promise<SharedWindows> {
    windows = await SharedWindows.connect(url, {
      log: write('info'),
      warn: write('warn'),
      error: write('error'),
    });
    return windows;
  }

  it('does without a Redis that refuses connections, says so once and names no password', async () => {
    const { isUp } = await connect('redis://user:hunter2@127.0.0.1:1');
    expect(isUp).toBe(false);
    expect(await windows?.count('a')).toBeUndefined();
    expect(await windows?.count('b')).toBeUndefined();
    expect(lines).toEqual([
      {
        level: 'warn',
        fields: { redis: '127.0.0.1:1', code: 'ECONNREFUSED' },
        message: 'Redis does not answer: rate limits are counted by each instance for itself',
      },
    ]);
  });

  it('waits a short time only for one that takes connections and says nothing', async () => {
    const silent = new SilentServer();
    const port = await silent.listen();
    const startedAt = performance.now();
    const { isUp } = await connect(`redis://127.0.0.1:${port}`);
    expect(isUp).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(lines).toHaveLength(1);
    silent.close();
  });

  describe.each([
    ['READONLY', "READONLY You can't write against a read only replica. script: 8c28df, on @user_script:2."],
    ['OOM', "OOM command not allowed when used memory > 'maxmemory'. script: 8c28df, on @user_script:2."],
  ])('with a Redis that answers %s', (code, refusal) => {
    let redis: FakeRedis;
    beforeEach(async () => {
      redis = await FakeRedis.open();
    });
    afterEach(() => redis.close());

    const outage = () => ({
      level: 'warn',
      fields: { redis: new URL(redis.url).host, code },
      message: 'Redis answers with an error: rate limits are counted by each instance for itself',
    });

    it('says so once, however often it is asked and connects, and that it is over once it counts', async () => {
      const shared = await connect(redis.url);
      expect(shared.isUp).toBe(true);
      redis.refusal = refusal;
      await Promise.all(Array.from({ length: 20 }, () => shared.count('a')));
      await until(() => redis.connections >= 3);
      expect(await shared.count('a')).toBeUndefined();
      expect(shared.isUp).toBe(false);
      expect(lines).toEqual([outage()]);
      redis.refusal = undefined;
      await until(() => shared.isUp);
      expect(lines.slice(1).map(({ message }) => message)).toEqual(['rate limits are shared again']);
    });

    it('is not up at the start, and connects anew once a second only', async () => {
      redis.refusal = refusal;
      const startedAt = performance.now();
      await connect(redis.url);
      expect(windows?.isUp).toBe(false);
      await until(() => redis.connections >= 3);
      expect(performance.now() - startedAt).toBeGreaterThan(1_900);
      expect(lines).toEqual([outage()]);
    });
  });

  (redisUrl === undefined ? describe.skip : describe)('with Redis', () => {
    it('tells of an outage once, and of its end', async () => {
      const { hostname, port } = new URL(redisUrl ?? '');
      const relay = await TcpRelay.open({ host: hostname, port: Number(port) });
      const { count } =
        (await (await connect(`redis://127.0.0.1:${relay.port}`)).count(`t:${Date.now()}`)) ?? {};
      expect({ count, isUp: windows?.isUp }).toEqual({ count: 1, isUp: true });
      await relay.cut();
      for (let tries = 0; tries < 50; tries += 1) await windows?.count('a');
      expect(lines.map(({ level }) => level)).toEqual(['warn']);
      await relay.mend();
      await until(() => windows?.isUp === true);
      expect(lines.map(({ message }) => message).slice(1)).toEqual(['rate limits are shared again']);
      await relay.cut();
    });

    it('gives up on a connection on which nothing comes back any more', async () => {
      const { hostname, port } = new URL(redisUrl ?? '');
      const relay = await TcpRelay.open({ host: hostname, port: Number(port) });
      await connect(`redis://127.0.0.1:${relay.port}`);
      relay.stall();
      const startedAt = performance.now();
      expect(await windows?.count('a')).toBeUndefined();
      expect(windows?.isUp).toBe(false);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      await relay.cut();
    });
  });
});
