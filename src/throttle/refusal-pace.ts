import { setTimeout as delay } from 'node:timers/promises';

const REMEMBERED = 64;

/**
 * Makes a refusal that judged nothing take as long as one that did: each takes the time of one of the last that
 * were judged, so that not only the means but the whole distributions are alike.
 */
export class RefusalPace {
  readonly #durationsMs: number[] = [];
  #written = 0;
  #read = 0;

  /** Notes how long a judged refusal took. */
  note(durationMs: number): void {
    this.#durationsMs[this.#written++ % REMEMBERED] = durationMs;
  }

  /** Whether there is a time to take: not after a start, until a refusal was judged. */
  get isKnown(): boolean {
    return this.#durationsMs.length > 0;
  }

  /** Resolves when a refusal that began then, on the clock of `performance.now()`, is old enough. */
  async until(startedAtMs: number): Promise<void> {
    const durationMs = this.#durationsMs[this.#read++ % this.#durationsMs.length] ?? 0;
    // A timer fires up to a millisecond late, so half of them a little early are right in the middle.
    const restMs = Math.floor(startedAtMs + durationMs - performance.now());
    if (restMs > 0) await delay(restMs);
  }
}
