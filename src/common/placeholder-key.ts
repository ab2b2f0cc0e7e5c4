/** Of 2^70 random keys one has fewer: 31 steps that are drawn from 256 are rarely equal. */
const MIN_DIFFERENT_STEPS = 13;

/**
 * Whether 32 bytes were typed and not drawn: all the same, counted up, or a short pattern again and again. Such bytes
 * take few different steps from one to the next.
 */
export function isPlaceholderKey(raw: Uint8Array): boolean {
  const steps = new Set<number>();
  let last: number | undefined;
  for (const byte of raw) {
    if (last !== undefined) steps.add((byte - last) & 0xff);
    last = byte;
  }
  return steps.size < MIN_DIFFERENT_STEPS;
}
