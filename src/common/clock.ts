/** Milliseconds since the Unix epoch. Injected, so that tests move time instead of waiting for it. */
export abstract class Clock {
  abstract nowMs(): number;
}

export class SystemClock extends Clock {
  override nowMs(): number {
    return Date.now();
  }
}
