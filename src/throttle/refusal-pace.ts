import { setTimeout as delay } from 'node:timers/promises';

const REMEMBERED = 64;
/** How far one refusal that came late or early moves the next ones, and what of it counts: some are late for long. */
const GAIN = 0.1;
const MAX_ERROR_MS = 10;

/**
 * Makes a refusal that judged nothing take as long as one that did: each takes the time of one of the last that
 * were judged, so that not only the means but the whole distributions are alike.
 */
export class RefusalPace {
  readonly #durationsMs: number[] = [];
  #written = 0;
  #read = 0;
  /** By how much refusals would come too late on a machine as busy as this one. */
  #latenessMs = 0;

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
    const dueMs = startedAtMs + durationMs;
    const restMs = Math.floor(dueMs - this.#latenessMs - performance.now());
    if (restMs <= 0) return;
    await delay(restMs);
    // A timer fires late, and the later the busier the machine is: as many shall come early.
    const errorMs = Math.max(-MAX_ERROR_MS, Math.min(performance.now() - dueMs, MAX_ERROR_MS));
    this.#latenessMs = Math.max(0, this.#latenessMs + GAIN * errorMs);
  }
}
