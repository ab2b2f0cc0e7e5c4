import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AttemptThrottle } from './attempt-throttle.js';

const SWEEP_INTERVAL_MS = 3_600_000;

/** Forgets old failures once an hour: anybody can add a row for an address that nobody has. */
@Injectable()
export class AttemptFailuresSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Throttle');
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly throttle: AttemptThrottle) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    try {
      await this.throttle.sweep();
    } catch (error) {
      this.#logger.error({ err: error }, 'old failures could not be removed');
    }
  }
}
