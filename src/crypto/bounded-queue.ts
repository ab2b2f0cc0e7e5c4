/**
 * Runs at most `concurrency` tasks at once, first come first served, and lets at most `maxWaiting` wait.
 * The bound is the point: without it a burst of expensive work makes every later caller wait for all of it.
 */
export class BoundedQueue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly concurrency: number,
    private readonly maxWaiting: number,
    private readonly fullError: () => Error,
  ) {}

  /** @throws what `fullError` makes, at once, when nothing more may wait; otherwise what the task throws */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.concurrency) this.#running++;
    else await this.#turn();
    try {
      return await task();
    } finally {
      // A finished task hands its place to the first in line, so nobody who comes later slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.maxWaiting) throw this.fullError();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
