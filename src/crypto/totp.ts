import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * TOTP (RFC 6238) as authenticator apps compute it: HMAC-SHA-1, 6 digits, steps of 30 s since the Unix epoch.
 * SHA-1's collisions don't matter here, HMAC doesn't rest on them; few apps know another hash.
 */
const SEED_BYTES = 20; // RFC 4226, section 4, R6
const STEP_MS = 30_000;
const DIGITS = 6;
/** How many steps the app's clock may be off, either way (RFC 6238, section 5.2). */
const SKEW_STEPS = 1;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A seed of 160 random bits, shared with the user's app. */
export function newTotpSeed(): Buffer {
  return randomBytes(SEED_BYTES);
}

/** The code of a step: HOTP (RFC 4226, section 5.3) with the step as its counter. */
export function totpCode(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', seed).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0x0f;
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** DIGITS;
  return String(number).padStart(DIGITS, '0');
}

/**
 * The step whose code this is: the present one, that before or that after; `undefined` when it is none of them.
 * A step is good once only, which is for the caller to see to.
 */
export function findTotpStep(seed: Uint8Array, code: string, nowMs: number): number | undefined {
  const given = Buffer.from(code, 'utf8');
  if (given.length !== DIGITS) return undefined;
  const present = Math.floor(nowMs / STEP_MS);
  let found: number | undefined;
  for (let step = present - SKEW_STEPS; step <= present + SKEW_STEPS; step++) {
    if (timingSafeEqual(given, Buffer.from(totpCode(seed, step), 'utf8'))) found = step;
  }
  return found;
}

/** RFC 4648, section 6, without padding: what people type where no camera is. */
export function toBase32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => BASE32[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}

/**
 * The key URI that an authenticator app scans.
 *
 * @param issuer - who the app shows the code for; a colon would end it (Google Authenticator, Key URI Format)
 */
export function totpUri(seed: Uint8Array, { issuer, account }: { issuer: string; account: string }): string {
  const label = [issuer, account].map((part) => encodeURIComponent(part)).join(':');
  const query = `secret=${toBase32(seed)}&issuer=${encodeURIComponent(issuer)}`;
  return `otpauth://totp/${label}?${query}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_MS / 1_000}`;
}
