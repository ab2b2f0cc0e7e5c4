import { type LoggerService } from '@nestjs/common';
import { type Redis } from 'ioredis';
import { errorCode } from '../common/error-code.js';
import { WINDOW_MS } from './fixed-windows.js';

/** A request waits no longer for Redis than this; it is a network away, not a continent. */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RETRY_DELAY_MS = 1_000;
const CONTEXT = 'RateLimits';

/** Counts and reads in one step, so that no instance sees a window without an end. */
const COUNT = `
local count = redis.call('incr', KEYS[1])
local left = redis.call('pttl', KEYS[1])
if left < 0 then
  redis.call('pexpire', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}`;

/** The same windows as `FixedWindows`, counted in Redis for all instances together. */
export class SharedWindows {
  #isUp = false;
  #isReported = false;

  private constructor(
    private readonly client: Redis,
    private readonly address: string,
    private readonly logger: LoggerService,
  ) {
    client.on('ready', () => this.#found());
    client.on('error', (error) => this.#lost(error));
    client.on('close', () => this.#lost());
  }

  /**
   * Tries to connect for a second; afterwards it goes on trying in the background.
   *
   * @param url - `redis://` or `rediss://`, with the password if there is one
   */
  static async connect(url: string, logger: LoggerService): Promise<SharedWindows> {
    const { Redis } = await import('ioredis');
    const client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      disconnectTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RETRY_DELAY_MS),
    });
    const windows = new SharedWindows(client, new URL(url).host, logger);
    await client.connect().catch((error: unknown) => windows.#lost(error));
    return windows;
  }

  /** Whether Redis answers. While it doesn't, every instance counts for itself. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /**
   * Counts one more.
   *
   * @returns how many there were in this window on all instances, and when it ends; `undefined` when Redis
   *   doesn't answer
   */
  async count(key: string): Promise<{ readonly count: number; readonly endsInMs: number } | undefined> {
    try {
      const [count, endsInMs] = (await this.client.eval(COUNT, 1, key, WINDOW_MS)) as [number, number];
      return { count, endsInMs };
    } catch (error) {
      // A connection on which nothing comes back any more: only a new one can tell whether Redis is there.
      if (this.#isUp) this.client.disconnect(true);
      this.#lost(error);
      return undefined;
    }
  }

  close(): void {
    this.client.removeAllListeners().on('error', () => {});
    this.client.disconnect();
  }

  #found(): void {
    this.#isUp = true;
    if (this.#isReported) this.logger.log({ redis: this.address }, 'rate limits are shared again', CONTEXT);
    this.#isReported = false;
  }

  /** Once for an outage: it would otherwise fill the log when it is needed most. */
  #lost(error?: unknown): void {
    this.#isUp = false;
    if (this.#isReported) return;
    this.#isReported = true;
    const code = errorCode(error) ?? 'unknown';
    this.logger.warn(
      { redis: this.address, code },
      'Redis does not answer: rate limits are counted by each instance for itself',
      CONTEXT,
    );
  }
}
