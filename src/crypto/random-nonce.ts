import { randomFillSync } from 'node:crypto';

export const NONCE_BYTES = 24;
/** Writes 24 bytes at `target[start]` that were never written before. */
export type NonceWriter = (target: Uint8Array, start: number) => void;

const POOLED_NONCES = 256;

const pool = Buffer.alloc(NONCE_BYTES * POOLED_NONCES);
let offset = pool.length;

/**
 * Writes 24 random bytes at `target[start]`: a nonce or a salt, never a key.
 *
 * One system call fills 256 nonces, because a call a nonce costs as much as encrypting a short value.
 * Read ahead of use is safe for them: they are published with the ciphertext, and each is handed out
 * once, in one thread (a worker has its own module, a child process its own memory).
 */
export function writeRandomNonce(target: Uint8Array, start: number): void {
  if (offset === pool.length) {
    randomFillSync(pool);
    offset = 0;
  }
  pool.copy(target, start, offset, offset + NONCE_BYTES);
  offset += NONCE_BYTES;
}
