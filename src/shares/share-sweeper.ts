import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { KeyDestructionService } from '../keys/key-destruction.service.js';
import { SharesRepository } from './shares.repository.js';

const SWEEP_INTERVAL_MS = 60_000;
const BATCH = 100;
/** A receipt is kept for so long after the share could last have been revealed. */
const RECEIPT_LIFE_MS = 30 * 86_400_000;

/** Once a minute: destroys what expired, and forgets old receipts. */
@Injectable()
export class ShareSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Shares');
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: SharesRepository,
    private readonly keys: KeyDestructionService,
    private readonly database: Database,
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
      const nowMs = this.clock.nowMs();
      while ((await this.#shredExpired(nowMs)) === BATCH);
      await this.repository.deleteExpiredBefore(nowMs - RECEIPT_LIFE_MS);
    } catch (error) {
      this.#logger.error({ err: error }, 'expired shares could not be removed');
    }
  }

  async #shredExpired(nowMs: number): Promise<number> {
    return this.database.transaction(async () => {
      const expired = await this.repository.findExpired(nowMs, BATCH);
      await this.repository.empty(expired.map(({ id }) => id));
      await this.keys.destroyValueKeys(expired.map((share) => share.key_id));
      return expired.length;
    });
  }
}
