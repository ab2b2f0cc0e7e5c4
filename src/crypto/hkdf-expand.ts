import { OneShotHmac } from './one-shot-hmac.js';

const HASH_BYTES = 64;
const BLOCK_BYTES = 128;
const INFO_START = BLOCK_BYTES + HASH_BYTES;
const MAX_OUTPUT_BYTES = 255 * HASH_BYTES;
/** Enough for the context of any row. A longer one gets memory of its own. */
const SCRATCH_BYTES = 1024;

/**
 * HKDF-Expand with SHA-512 (RFC 5869, 2.3) under one key. Node's `hkdf` always extracts first, so it can't
 * be used for a key that is uniformly random already.
 *
 * Hashes come as strings where they may. A string can't be filled with zeros, so T(1) is none: keys belong into
 * the first 64 bytes of the output.
 */
export class HkdfExpand {
  readonly #hmac: OneShotHmac;
  /** Kept, because everything here is synchronous. */
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);

  /** @param key at least 32 uniformly random bytes, at most 128; copied */
  constructor(key: Uint8Array) {
    this.#hmac = new OneShotHmac('sha512', key);
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
    input.set(this.#hmac.innerKey, HASH_BYTES);

    const output = Buffer.allocUnsafe(length);
    const first = this.#hmac.digest(input.subarray(HASH_BYTES, counter + 1), 'buffer');
    first.copy(output);
    if (length > HASH_BYTES) {
      const message = input.subarray(0, counter + 1);
      input.set(this.#hmac.innerKey, 0);
      first.copy(input, BLOCK_BYTES);
      for (let start = HASH_BYTES; start < length; start += HASH_BYTES) {
        input[counter] = start / HASH_BYTES + 1;
        const block = this.#hmac.digest(message, 'latin1');
        input.write(block, BLOCK_BYTES, 'latin1');
        output.write(block, start, 'latin1');
      }
    }
    first.fill(0);
    input.fill(0, BLOCK_BYTES, INFO_START);
    return output;
  }
}
