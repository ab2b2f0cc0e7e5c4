/** A change of a key's state is seen by every instance after this time, since none remembers a key for longer. */
export const RECHECK_MS = 1_000;

/**
 * Every step of a change of keys waits for so long until the next one builds on it: then each instance has seen
 * it, and what an instance began before it had is written.
 */
export const SETTLE_MS = 2 * RECHECK_MS;

/**
 * A key whose public half others read is published for so long before it is used: the set of keys may be
 * remembered for a while by whoever verifies tokens.
 */
export const PUBLISHED_MS = 60_000;

/** What is dated further ahead than this was written under a wrong clock. */
export const CLOCK_SKEW_MS = 60_000;
