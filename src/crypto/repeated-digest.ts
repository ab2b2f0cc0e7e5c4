import { hash, timingSafeEqual } from 'node:crypto';

interface Digested {
  readonly text: Buffer;
  readonly digest: string;
}

/** SHA-256 in base64url. Without a key: it hides nothing that can be guessed. */
export function digestText(text: string | Uint8Array): string {
  return hash('sha256', text, 'base64url');
}

/** Longer texts are digested each time. */
const MAX_REPEATED_LENGTH = 2_048;
const MAX_UTF8_BYTES_PER_CODE_UNIT = 3;

const lastOf = new WeakMap<object, Digested>();
/** The text that is being compared. Kept, because everything here is synchronous. */
const scratch = Buffer.alloc(MAX_REPEATED_LENGTH * MAX_UTF8_BYTES_PER_CODE_UNIT);

/**
 * The digest of a text that its source mostly gave before, such as the token that comes with every request of a
 * connection. The last one of each source is kept, in memory only, for as long as there is the source.
 */
export function repeatedDigest(source: object, text: string): string {
  if (text.length > MAX_REPEATED_LENGTH) return digestText(text);
  const bytes = scratch.subarray(0, scratch.write(text, 'utf8'));
  const last = lastOf.get(source);
  // In constant time: behind a proxy, one connection brings the tokens of many.
  if (last?.text.length === bytes.length && timingSafeEqual(last.text, bytes)) return last.digest;
  const digest = digestText(bytes);
  lastOf.set(source, { text: Buffer.from(bytes), digest });
  return digest;
}
