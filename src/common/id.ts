import { randomUUID } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME_DIGITS = 12;
/** Where the digits after the version begin: `xxxxxxxx-xxxx-4…`. */
const AFTER_VERSION = 15;

/**
 * A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then 74 random bits. Ids
 * made later sort later, so an index on them grows at its end and a cursor can be an id. The random
 * bits and their variant are those of a version 4, for which Node keeps random bytes ready.
 */
export function uuidv7(nowMs: number): string {
  const time = nowMs.toString(16).padStart(TIME_DIGITS, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(AFTER_VERSION)}`;
}

/** When a UUID version 7 was made, in Unix milliseconds. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Whether `text` has the canonical form of an id. Anything else can't name an object. */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/** A random id (UUID version 4) for a request: it sorts nowhere, and Node keeps random bytes ready for it. */
export function newRequestId(): string {
  return randomUUID();
}
