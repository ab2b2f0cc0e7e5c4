/** So many wrong guesses are free. From the last of them on, each is followed by a back-off. */
export const FREE_FAILURES = 5;
export const FIRST_BACK_OFF_MS = 1_000;
export const MAX_BACK_OFF_MS = 900_000;
/** The clocks of two instances may differ by so much: what one sets, the other finds that much longer. */
export const MAX_SET_AHEAD_MS = MAX_BACK_OFF_MS + 5_000;
/** Without a failure for so long, all are forgotten. */
export const FORGOTTEN_AFTER_MS = 86_400_000;
/** After so many back-offs the next doubling would be past the longest. */
export const MAX_DOUBLINGS = Math.floor(Math.log2(MAX_BACK_OFF_MS / FIRST_BACK_OFF_MS));

/**
 * Whether guesses are refused now. A back-off that ends later than one can last was set before the clock was set
 * back, and counts no more: it would keep its owner out for all that time.
 */
export function isInBackOff(blockedUntilMs: number, nowMs: number): boolean {
  return blockedUntilMs > nowMs && blockedUntilMs <= nowMs + MAX_SET_AHEAD_MS;
}
