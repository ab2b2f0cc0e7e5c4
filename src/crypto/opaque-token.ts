import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type MacKey } from './mac-key.js';

/*
 * <prefix>_ ‖ base64url of 32 random bytes (43 characters) ‖ base64url of the CRC-32 of all that (6 characters)
 *
 * The prefix lets people and secret scanners recognise a token, the checksum lets them and us tell a
 * token from a look-alike without a database. It is no protection: only the 256 random bits are.
 *
 * The 32 bytes of a derived token are the MAC of "derived-token/v1" ‖ 0x00 ‖ the token before it.
 */
const RANDOM_BYTES = 32;
const RANDOM_CHARACTERS = 43;
const CHECKSUM_CHARACTERS = 6;
const DERIVATION_LABEL = 'derived-token/v1\0';
const RANDOM_PART = /^[A-Za-z0-9_-]{43}$/;

/** A new token of 256 random bits. Show it once and store only its digest. */
export function randomToken(prefix: string): string {
  return tokenOf(prefix, randomBytes(RANDOM_BYTES));
}

/**
 * The token that follows another: always the same, and as good as a random one to whoever lacks the key, the holder
 * of the one before included.
 */
export function deriveToken(key: MacKey, prefix: string, predecessor: string): string {
  return tokenOf(prefix, key.mac(Buffer.from(DERIVATION_LABEL + predecessor, 'utf8')));
}

/**
 * SHA-256 of the whole token, 32 bytes, the form in which it is stored and looked up; `undefined` for
 * anything that is not a token with this prefix. A fast hash is enough for 256 random bits.
 */
export function digestToken(prefix: string, token: string): Buffer | undefined {
  const start = `${prefix}_`;
  if (token.length !== start.length + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS) return undefined;
  const body = token.slice(0, -CHECKSUM_CHARACTERS);
  if (!body.startsWith(start) || !RANDOM_PART.test(body.slice(start.length))) return undefined;
  if (checksum(body) !== token.slice(-CHECKSUM_CHARACTERS)) return undefined;
  return hash('sha256', token, 'buffer');
}

function tokenOf(prefix: string, bytes: Buffer): string {
  const body = `${prefix}_${bytes.toString('base64url')}`;
  return body + checksum(body);
}

function checksum(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64url');
}
