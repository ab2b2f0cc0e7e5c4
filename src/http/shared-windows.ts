import { type LoggerService } from '@nestjs/common';
import { type Redis } from 'ioredis';
import { errorCode } from '../common/error-code.js';
import { WINDOW_MS } from './fixed-windows.js';

/** A request waits no longer for Redis than this; it is a network away, not a continent. */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RETRY_DELAY_MS = 1_000;
/** Counted up to learn whether Redis counts; no client's. */
const PROBE_KEY = 'rate-limit:probe';
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
  #probing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  private constructor(
    private readonly client: Redis,
    private readonly address: string,
    private readonly logger: LoggerService,
  ) {
    client.on('ready', () => {
      this.#probing = this.#probe();
    });
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
    await windows.#probing;
    return windows;
  }

  /** Whether Redis counts. While it doesn't, every instance counts for itself. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /**
   * Counts one more.
   *
   * @returns how many there were in this window on all instances, and when it ends; `undefined` when Redis
   *   doesn't count
   */
  async count(key: string): Promise<{ readonly count: number; readonly endsInMs: number } | undefined> {
    try {
      return await this.#increment(key);
    } catch (error) {
      const wasUp = this.#isUp;
      this.#lost(error);
      // Whether nothing came back any more or an error did: only a new connection can tell that it's over.
      if (wasUp) this.client.disconnect(true);
      return undefined;
    }
  }

  close(): void {
    clearTimeout(this.#retry);
    this.client.removeAllListeners().on('error', () => {});
    this.client.disconnect();
  }

  async #increment(key: string): Promise<{ readonly count: number; readonly endsInMs: number }> {
    const [count, endsInMs] = (await this.client.eval(COUNT, 1, key, WINDOW_MS)) as [number, number];
    return { count, endsInMs };
  }

  /** A replica and a Redis without memory left take connections too, and count nothing. */
  async #probe(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#increment(PROBE_KEY);
      this.#found();
    } catch (error) {
      this.#lost(error);
      if (this.client.status !== 'ready') return;
      // A new connection, because after a failover the name leads to another Redis.
      this.#retry = setTimeout(() => this.client.disconnect(true), MAX_RETRY_DELAY_MS).unref();
    }
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
    const reply = replyCode(error);
    const fault = reply === undefined ? 'does not answer' : 'answers with an error';
    this.logger.warn(
      { redis: this.address, code: reply ?? errorCode(error) ?? 'unknown' },
      `Redis ${fault}: rate limits are counted by each instance for itself`,
      CONTEXT,
    );
  }
}

/** The word that an error reply begins with, such as `READONLY` or `OOM`. The rest could repeat what was sent. */
function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  return /^[A-Z]+\b/.exec(error.message)?.[0];
}
