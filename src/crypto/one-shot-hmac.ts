import { hash } from 'node:crypto';

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Bytes of a digest, and of the block that HMAC pads its key to (RFC 2104, 2). */
const sizes = {
  sha256: { hashBytes: 32, blockBytes: 64 },
  sha512: { hashBytes: 64, blockBytes: 128 },
} as const;

/**
 * HMAC (RFC 2104) of short messages under one key.
 *
 * It is H(key ⊕ opad ‖ H(key ⊕ ipad ‖ message)). The two padded keys are made once, and a digest is two one-shot
 * hashes: 3 µs, where a `createHmac` object costs 6 µs, more than encrypting a short value. Hashes come as strings
 * where they may, at half the price of a Buffer. Why the keys are no `KeyObject`: docs/adr/0012-hmac-keys-in-buffers.md.
 */
export class OneShotHmac {
  /** key ⊕ ipad, with which every message begins. */
  readonly innerKey: Buffer;
  readonly #algorithm: keyof typeof sizes;
  readonly #blockBytes: number;
  /** key ⊕ opad ‖ room for the inner hash. Kept, because everything here is synchronous. */
  readonly #outer: Buffer;

  /**
   * @param key at most 64 bytes for SHA-256 and 128 for SHA-512; copied
   * @throws RangeError for a longer key
   */
  constructor(algorithm: keyof typeof sizes, key: Uint8Array) {
    const { hashBytes, blockBytes } = sizes[algorithm];
    if (key.length > blockBytes)
      throw new RangeError(`key is ${key.length} bytes, want at most ${blockBytes}`);
    this.#algorithm = algorithm;
    this.#blockBytes = blockBytes;
    this.innerKey = Buffer.alloc(blockBytes, INNER_PAD);
    this.#outer = Buffer.alloc(blockBytes + hashBytes, OUTER_PAD);
    for (const [index, byte] of key.entries()) {
      this.innerKey[index] = byte ^ INNER_PAD;
      this.#outer[index] = byte ^ OUTER_PAD;
    }
  }

  /** @param message begins with `innerKey` */
  digest(message: Uint8Array, encoding: 'buffer'): Buffer;
  digest(message: Uint8Array, encoding: 'latin1'): string;
  digest(message: Uint8Array, encoding: 'buffer' | 'latin1'): Buffer | string {
    this.#outer.write(hash(this.#algorithm, message, 'latin1'), this.#blockBytes, 'latin1');
    return hash(this.#algorithm, this.#outer, encoding);
  }
}
