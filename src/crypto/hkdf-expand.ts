import { hash } from 'node:crypto';

const HASH_BYTES = 64;
/** SHA-512's block, which HMAC pads its key to (RFC 2104, 2). */
const BLOCK_BYTES = 128;
const INFO_START = BLOCK_BYTES + HASH_BYTES;
const MAX_OUTPUT_BYTES = 255 * HASH_BYTES;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Enough for the context of any row. A longer one gets memory of its own. */
const SCRATCH_BYTES = 1024;

/**
 * HKDF-Expand with SHA-512 (RFC 5869, 2.3) under one key. Node's `hkdf` always extracts first, so it can't
 * be used for a key that is uniformly random already.
 *
 * HMAC is H(key ⊕ opad ‖ H(key ⊕ ipad ‖ message)). Its two padded keys are made once, and a digest is two
 * one-shot hashes: 3 µs, where a `createHmac` object costs 6 µs, more than encrypting a short value. Hashes
 * come as strings where they may, at half the price of a Buffer. A string can't be filled with zeros, so
 * T(1) is none: keys belong into the first 64 bytes of the output.
 */
export class HkdfExpand {
  readonly #innerKey: Buffer;
  /** key ⊕ opad ‖ room for the inner hash. Kept, as `#scratch` is, because everything here is synchronous. */
  readonly #outer: Buffer;
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);

  /** @param key at least 32 uniformly random bytes, at most 128; copied */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError(`key is ${key.length} bytes, want at most 128`);
    this.#innerKey = Buffer.alloc(BLOCK_BYTES, INNER_PAD);
    this.#outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES, OUTER_PAD);
    for (const [index, byte] of key.entries()) {
      this.#innerKey[index] = byte ^ INNER_PAD;
      this.#outer[index] = byte ^ OUTER_PAD;
    }
  }

  /**
   * T(1) ‖ T(2) ‖ …, cut to `length`.
   *
   * @param info in three parts, taken as if they were joined
   */
  expand(label: Uint8Array, salt: Uint8Array, context: Uint8Array, length: number): Buffer {
    if (length > MAX_OUTPUT_BYTES)
      throw new RangeError(`output of ${length} bytes is over ${MAX_OUTPUT_BYTES}`);
    // key ⊕ ipad ‖ T(n - 1) ‖ info ‖ n. T(0) is empty, so the first message starts one hash later.
    const contextStart = INFO_START + label.length + salt.length;
    const counter = contextStart + context.length;
    const input = counter < SCRATCH_BYTES ? this.#scratch : Buffer.alloc(counter + 1);
    input.set(label, INFO_START);
    input.set(salt, INFO_START + label.length);
    input.set(context, contextStart);
    input[counter] = 1;
    input.set(this.#innerKey, HASH_BYTES);

    const output = Buffer.allocUnsafe(length);
    const first = this.#hmac(input.subarray(HASH_BYTES, counter + 1), 'buffer');
    first.copy(output);
    if (length > HASH_BYTES) {
      const message = input.subarray(0, counter + 1);
      input.set(this.#innerKey, 0);
      first.copy(input, BLOCK_BYTES);
      for (let start = HASH_BYTES; start < length; start += HASH_BYTES) {
        input[counter] = start / HASH_BYTES + 1;
        const block = this.#hmac(message, 'latin1');
        input.write(block, BLOCK_BYTES, 'latin1');
        output.write(block, start, 'latin1');
      }
    }
    first.fill(0);
    input.fill(0, BLOCK_BYTES, INFO_START);
    return output;
  }

  /** @param message begins with key ⊕ ipad */
  #hmac(message: Uint8Array, encoding: 'buffer'): Buffer;
  #hmac(message: Uint8Array, encoding: 'latin1'): string;
  #hmac(message: Uint8Array, encoding: 'buffer' | 'latin1'): Buffer | string {
    this.#outer.write(hash('sha512', message, 'latin1'), BLOCK_BYTES, 'latin1');
    return hash('sha512', this.#outer, encoding);
  }
}
