import { type LoggerService } from '@nestjs/common';
import { type Clock } from '../common/clock.js';
import { type SecretText } from '../common/secret-text.js';
import { clientNetwork } from './client-network.js';
import { FixedWindows } from './fixed-windows.js';
import { SharedWindows } from './shared-windows.js';

export interface RateLimitOptions {
  /** Requests a minute and client; 0 is no limit. */
  readonly requestsPerMinute: number;
  /** The same for what guesses at credentials. */
  readonly authRequestsPerMinute: number;
  /** Where all instances count together. */
  readonly redisUrl: SecretText | undefined;
}

/** One limit. A refused request counts no further, so a client that waits as told gets on. */
export class RateLimit {
  readonly #own: FixedWindows;

  constructor(
    private readonly name: string,
    private readonly limit: number,
    clock: Clock,
    private readonly shared: SharedWindows | undefined,
  ) {
    this.#own = new FixedWindows(limit, clock);
  }

  /**
   * A promise only where Redis has to be asked: who is over the limit here is so everywhere.
   *
   * @param address - of the client
   * @returns 0 when the client may, else the seconds until it may again
   */
  take(address: string): number | Promise<number> {
    const client = clientNetwork(address);
    const waitSeconds = this.#own.take(client);
    return waitSeconds > 0 || !this.shared?.isUp ? waitSeconds : this.#takeShared(client, this.shared);
  }

  async #takeShared(client: string, shared: SharedWindows): Promise<number> {
    const window = await shared.count(`rate-limit:${this.name}:${client}`);
    if (window === undefined || window.count <= this.limit) return 0;
    this.#own.giveBack(client);
    return Math.ceil(window.endsInMs / 1_000);
  }
}

/** How often a client may ask, of all routes and of those that guess at credentials. */
export class RateLimits {
  readonly requests: RateLimit | undefined;
  readonly authRequests: RateLimit | undefined;
  readonly #shared: SharedWindows | undefined;

  private constructor(options: RateLimitOptions, clock: Clock, shared: SharedWindows | undefined) {
    const { requestsPerMinute, authRequestsPerMinute } = options;
    const limit = (name: string, perMinute: number) =>
      perMinute === 0 ? undefined : new RateLimit(name, perMinute, clock, shared);
    this.requests = limit('all', requestsPerMinute);
    this.authRequests = limit('auth', authRequestsPerMinute);
    this.#shared = shared;
  }

  /** Starts with counting by itself where Redis can't be reached. */
  static async create(options: RateLimitOptions, clock: Clock, logger: LoggerService): Promise<RateLimits> {
    const isLimited = options.requestsPerMinute > 0 || options.authRequestsPerMinute > 0;
    const { redisUrl } = options;
    const shared = isLimited && redisUrl ? await SharedWindows.connect(redisUrl.reveal(), logger) : undefined;
    return new RateLimits(options, clock, shared);
  }

  /** Instances should count together and can't: each grants the whole limit. */
  get isDegraded(): boolean {
    return this.#shared?.isUp === false;
  }

  /** Where requests are counted now. */
  get store(): 'off' | 'memory' | 'redis' {
    if (this.#shared?.isUp) return 'redis';
    return this.requests || this.authRequests ? 'memory' : 'off';
  }

  close(): void {
    this.#shared?.close();
  }
}
