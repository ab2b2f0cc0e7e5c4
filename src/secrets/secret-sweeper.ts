import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { SecretShredder } from './secret-shredder.js';

const SWEEP_INTERVAL_MS = 60_000;

/** Shreds expired versions once a minute. That they can't be read doesn't wait for it. */
@Injectable()
export class SecretSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Secrets');
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly shredder: SecretShredder,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.sweep(), SWEEP_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  async sweep(): Promise<void> {
    try {
      await this.shredder.shredExpired(this.clock.nowMs());
    } catch (error) {
      this.#logger.error({ err: error }, 'expired versions could not be shredded');
    }
  }
}
