import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SessionsService } from './sessions.service.js';

const SWEEP_INTERVAL_MS = 3_600_000;

/** Forgets ended sessions once an hour, so that neither a login nor a table grows with them. */
@Injectable()
export class SessionSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Sessions');
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly sessions: SessionsService) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    try {
      await this.sessions.sweep();
    } catch (error) {
      this.#logger.error({ err: error }, 'ended sessions could not be removed');
    }
  }
}
