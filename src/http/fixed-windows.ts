import { type Clock } from '../common/clock.js';

export const WINDOW_MS = 60_000;
/** About 10 MB. Beyond it the oldest are forgotten, so that who has many addresses can't use up the memory. */
const MAX_CLIENTS = 50_000;

interface Window {
  readonly endsAtMs: number;
  count: number;
}

/**
 * Counts what each client does in a minute, which begins with the first thing it does. In the memory of
 * this process.
 */
export class FixedWindows {
  /** In the order in which they began. */
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
    private readonly maxClients = MAX_CLIENTS,
  ) {}

  /** @returns 0 when the client may, else the seconds until it may again; a refusal isn't counted */
  take(client: string): number {
    const nowMs = this.clock.nowMs();
    const window = this.#windows.get(client);
    // The second bound refuses windows from the future, so a clock set back locks nobody out for longer.
    if (!window || nowMs >= window.endsAtMs || window.endsAtMs > nowMs + WINDOW_MS) {
      this.#begin(client, nowMs);
      return 0;
    }
    if (window.count >= this.limit) return Math.ceil((window.endsAtMs - nowMs) / 1_000);
    window.count += 1;
    return 0;
  }

  /** Takes back what was counted: it was refused elsewhere, where another window ends sooner. */
  giveBack(client: string): void {
    const window = this.#windows.get(client);
    if (!window) return;
    window.count -= 1;
    if (window.count <= 0) this.#windows.delete(client);
  }

  #begin(client: string, nowMs: number): void {
    this.#windows.delete(client);
    const [oldest] = this.#windows;
    if (oldest && (this.#windows.size >= this.maxClients || oldest[1].endsAtMs <= nowMs)) {
      this.#windows.delete(oldest[0]);
    }
    this.#windows.set(client, { endsAtMs: nowMs + WINDOW_MS, count: 1 });
  }
}
