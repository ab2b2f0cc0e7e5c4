import { type Cipheriv } from 'node:crypto';

/** A longer plaintext is encrypted in pieces of this length: one as long as itself would be fresh memory each time. */
const PIECE_BYTES = 1_048_576;
/** From here on giving memory back costs less than what the garbage collector would spend on it later. */
const MIN_FREED_BYTES = 4_096;

/**
 * Writes what the cipher makes of the plaintext into `output[start]`.
 *
 * Node's ciphers write into no given memory, so every ciphertext has to be copied behind what stands in front of it.
 * `transfer(0)` gives the memory of each piece back at once and the next piece gets the same memory. Left to the
 * garbage collector instead, each would be fresh memory, which costs half as much as encrypting it.
 */
export function writeCiphertext(
  cipher: Cipheriv,
  plaintext: Uint8Array,
  output: Buffer,
  start: number,
): void {
  if (plaintext.length <= PIECE_BYTES) {
    move(cipher.update(plaintext), output, start);
    return;
  }
  for (let at = 0; at < plaintext.length; at += PIECE_BYTES) {
    move(cipher.update(plaintext.subarray(at, at + PIECE_BYTES)), output, start + at);
  }
}

/** Copies bytes and gives up the memory that they were in. */
export function move(bytes: Buffer, output: Buffer, start: number): void {
  output.set(bytes, start);
  const memory = bytes.buffer;
  // Only memory that nothing else is in, as a pool would be.
  if (
    memory.byteLength >= MIN_FREED_BYTES &&
    memory.byteLength === bytes.length &&
    memory instanceof ArrayBuffer
  ) {
    memory.transfer(0);
  }
}
