import { setImmediate } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { randomKeyId } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { type HeldKeyJob, type KeyJob, KeyJobsRepository } from './key-jobs.repository.js';
import { JobRun, type Skipped } from './job-run.js';
import { type KeyJobStep, KeyJobSteps } from './key-job-steps.js';
import { CLOCK_SKEW_MS, SETTLE_MS } from './key-waits.js';

/** A worker that died is replaced after this time. */
const LEASE_MS = 30_000;
const PAGE = 100;

interface RunOptions {
  /** Stops between two steps; the job can go on at once elsewhere. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (job: KeyJob) => void;
  /** Instead of a line in the log. */
  readonly onSkip?: (skipped: Skipped) => void;
}

/** Does the jobs of rotations, one worker a job, a batch at a time, with requests served in between. */
@Injectable()
export class KeyJobRunner {
  readonly #logger = new Logger('Keys');

  constructor(
    private readonly jobs: KeyJobsRepository,
    private readonly steps: KeyJobSteps,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Works on a job until it is done, unless another worker does or its time has not come.
   *
   * @returns whether it was done here
   */
  async run(
    jobId: string,
    { signal, onProgress, onSkip = (skipped) => this.#logSkipped(skipped) }: RunOptions = {},
  ): Promise<boolean> {
    let job = await this.#claim(jobId);
    const run = new JobRun(onSkip);
    while (job) {
      const step = await this.steps.next(job, run);
      if (!step) return this.#finish(job);
      if (step === 'wait' || signal?.aborted) {
        await this.jobs.release(job);
        return false;
      }
      job = await this.#write(job, step);
      if (job) onProgress?.(job);
      await setImmediate();
    }
    return false;
  }

  /** Runs every unfinished job once. One that fails is logged, and tried again when its lease has ended. */
  async runAll({ signal }: RunOptions = {}): Promise<void> {
    let page: KeyJob[];
    let lastId = '';
    do {
      page = await this.jobs.listUnfinished(lastId, PAGE);
      for (const { id, purpose, owner_id: ownerId } of page) {
        if (signal?.aborted) return;
        await this.run(id, signal && { signal }).catch((error: unknown) => {
          this.#logger.error({ err: error, purpose, ownerId }, 'a key rotation failed');
        });
      }
      lastId = page.at(-1)?.id ?? lastId;
    } while (page.length === PAGE);
  }

  #logSkipped({ error, ...skipped }: Skipped): void {
    this.#logger.error(
      { err: error, ...skipped },
      'it cannot be brought to a new key, so its old one is kept',
    );
  }

  async #claim(jobId: string): Promise<HeldKeyJob | undefined> {
    const nowMs = this.clock.nowMs();
    return this.jobs.claim(jobId, {
      worker: randomKeyId(),
      nowMs,
      untilMs: nowMs + LEASE_MS,
      begunUntilMs: nowMs - SETTLE_MS,
      misdatedFromMs: nowMs + LEASE_MS + CLOCK_SKEW_MS,
    });
  }

  /** Notes a step and writes what it changes, both or neither. */
  async #write(job: HeldKeyJob, { moved, position, write }: KeyJobStep): Promise<HeldKeyJob | undefined> {
    return this.database.transaction(async () => {
      const untilMs = this.clock.nowMs() + LEASE_MS;
      const held = await this.jobs.renew(job, { moved, position: position ?? job.position, untilMs });
      if (held) await write?.();
      return held;
    });
  }

  async #finish(job: HeldKeyJob): Promise<boolean> {
    return this.database.transaction(async () => {
      const remaining = await this.steps.countRemaining(job);
      const isHeld = await this.jobs.finish(job, { nowMs: this.clock.nowMs(), remaining });
      if (isHeld) await this.steps.finish(job, remaining);
      return isHeld;
    });
  }
}
