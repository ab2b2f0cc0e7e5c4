import { DecryptionError } from '../crypto/errors.js';

/** What is moved between two turns of the event loop: requests wait no longer than this takes, some milliseconds. */
const BATCH = 40;

/** Something under a retired key that can't be brought under another one. The message says why. */
export class UnmovableError extends Error {
  override readonly name = 'UnmovableError';
}

export interface Skipped {
  /** Of the row, or of the key that is under the key. */
  readonly id: string;
  readonly keyId: string;
  readonly error: Error;
}

/**
 * One worker's work on a job: how much it moves at a time, and what it can't move. That is told once and left where
 * it is, so that the rest gets its new key and the old key is kept.
 */
export class JobRun {
  readonly #skipped = new Set<string>();

  constructor(
    private readonly onSkip: (skipped: Skipped) => void,
    private readonly batch = BATCH,
  ) {}

  /** How many have to be read so that a batch is left without those that are skipped. */
  get limit(): number {
    return this.batch + this.#skipped.size;
  }

  get skipped(): number {
    return this.#skipped.size;
  }

  /** The next ones of those that were read. */
  next<Row>(rows: readonly Row[], idOf: (row: Row) => string): Row[] {
    return rows.filter((row) => !this.#skipped.has(idOf(row))).slice(0, this.batch);
  }

  /** What `work` gives, or `undefined` when it was found impossible for this one, which is skipped then. */
  async attempt<T>(id: string, keyId: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DecryptionError || error instanceof UnmovableError)) throw error;
      this.skip({ id, keyId, error });
      return undefined;
    }
  }

  skip(skipped: Skipped): void {
    this.#skipped.add(skipped.id);
    this.onSkip(skipped);
  }
}
