import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { AppConfig } from '../config/app-config.js';
import { Database } from '../database/database.js';
import { KeyDestructionService } from './key-destruction.service.js';
import { KeyJobRunner } from './key-job-runner.js';
import { KeyJobsRepository } from './key-jobs.repository.js';
import { type KeyPurposeName, keyPurposes } from './key-purposes.js';
import { KeyringService } from './keyring.service.js';
import { KeyRotationService } from './key-rotation.service.js';

const INTERVAL_MS = 60_000;
const DAY_MS = 86_400_000;
/** How long it can be seen that a rotation ended, and what it left. */
const FINISHED_JOB_MS = 30 * DAY_MS;
/** So few at a time that no request waits for it. */
const REMOVED_JOBS = 1_000;

const KEK_PURPOSES = Object.keys(keyPurposes)
  .map((name) => name as KeyPurposeName)
  .filter((name) => name.endsWith('-kek'));

/**
 * Once a minute: ends keys whose time is over, lets go of those in memory that have ended, removes jobs that ended long ago, begins the rotations that are due
 * unless `KEY_ROTATION` is `manual`, goes on with those that are unfinished, whoever began them, and leaves nothing of
 * what was destroyed in the database's files.
 */
@Injectable()
export class KeyRotationScheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Keys');
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly rotation: KeyRotationService,
    private readonly runner: KeyJobRunner,
    private readonly destruction: KeyDestructionService,
    private readonly keyring: KeyringService,
    private readonly jobs: KeyJobsRepository,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.run(), INTERVAL_MS).unref();
    void this.run();
  }

  /** Before the database is closed: the step that runs now ends, and its job is left to others. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
  }

  /** Does what is due now; one call at a time. */
  async run(): Promise<void> {
    this.#running ??= this.#runOnce().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** What fails keeps nothing else from being done. */
  async #runOnce(): Promise<void> {
    await this.#attempt(() => this.destruction.destroyEnded());
    await this.#attempt(() => this.keyring.forgetEnded());
    await this.#attempt(() => this.jobs.removeFinished(this.clock.nowMs() - FINISHED_JOB_MS, REMOVED_JOBS));
    if (this.config.keys.rotation === 'auto') await this.#attempt(() => this.#rotateDue());
    await this.#attempt(() => this.runner.runAll({ signal: this.#stop.signal }));
    // Keys that were destroyed or brought under others, in whatever way, are gone from the files too.
    await this.#attempt(() => this.database.scrub());
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#logger.error({ err: error }, 'keys could not be rotated');
    }
  }

  async #rotateDue(): Promise<void> {
    const { kekMaxAgeDays, tokenKeyMaxAgeDays } = this.config.keys;
    const maxAges = [
      ...KEK_PURPOSES.map((purpose) => [purpose, kekMaxAgeDays] as const),
      ['token-signing', tokenKeyMaxAgeDays] as const,
    ];
    for (const [purpose, days] of maxAges) {
      const onFailure = (ownerId: string, error: unknown) =>
        this.#logger.error({ err: error, purpose, ownerId }, 'a key could not be rotated');
      const rotate = () => this.rotation.rotateDue(purpose, days * DAY_MS, onFailure);
      while (!this.#stop.signal.aborted && (await rotate()) > 0);
    }
  }
}
