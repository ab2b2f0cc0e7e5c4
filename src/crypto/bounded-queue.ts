export interface QueueBounds {
  /** So many tasks run at once. */
  readonly concurrency: number;
  /** So many more may wait. */
  readonly maxWaiting: number;
  /** While tasks wait, so many results are given out together. */
  readonly groupSize: number;
}

/**
 * Runs a bounded number of tasks at once, first come first served, and lets a bounded number wait.
 * The bound is the point: without it a burst of expensive work makes every later caller wait for all of it.
 *
 * While there is a backlog, finished callers go on in groups: what they do next then shares one commit, and code and
 * data that the tasks have driven out of the processor's caches come back once a group.
 */
export class BoundedQueue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #held: (() => void)[] = [];

  constructor(
    private readonly bounds: QueueBounds,
    private readonly fullError: () => Error,
  ) {}

  /** @throws what `fullError` makes, at once, when nothing more may wait; otherwise what the task throws */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.bounds.concurrency) this.#running++;
    else await this.#turn();
    try {
      return await task();
    } finally {
      // A finished task hands its place to the first in line, so nobody who comes later slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
      await this.#group();
    }
  }

  /** Every task that waits will finish, so whoever is held here goes on by then. */
  #group(): Promise<void> | undefined {
    if (this.#waiting.length > 0 && this.#held.length + 1 < this.bounds.groupSize) {
      return new Promise((resolve) => {
        this.#held.push(resolve);
      });
    }
    for (const release of this.#held.splice(0)) release();
    return undefined;
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.bounds.maxWaiting) throw this.fullError();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
