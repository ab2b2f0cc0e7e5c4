import { Clock } from '../../src/common/clock.js';

const START_MS = Date.parse('2031-05-06T07:08:09.123Z');

/** Stands still until it is told to move. */
export class FakeClock extends Clock {
  #nowMs = START_MS;

  override nowMs(): number {
    return this.#nowMs;
  }

  /** @param seconds negative sets the clock back */
  advance(seconds: number): void {
    this.#nowMs += seconds * 1_000;
  }

  get nowSeconds(): number {
    return Math.floor(this.#nowMs / 1_000);
  }

  /** The time so many seconds from now, as the API writes it. */
  iso(seconds = 0): string {
    return new Date(this.#nowMs + seconds * 1_000).toISOString();
  }
}
