import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
