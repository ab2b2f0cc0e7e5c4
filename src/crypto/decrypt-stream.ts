import { type Transform } from 'node:stream';
import { BlockSplitter } from './block-splitter.js';
import { type ChunkCipher, ENCRYPTED_CHUNK_BYTES, TAG_BYTES } from './chunk-cipher.js';
import { DecryptionError } from './errors.js';
import { type ByteProcessor, PacedTransform } from './paced-transform.js';

/**
 * Finds the key that the first bytes of an envelope name, and proves by their commitment that it is the one.
 *
 * @param prefix envelope header ‖ salt ‖ commitment
 * @throws DecryptionError
 */
export type StartDecryption = (prefix: Uint8Array) => Promise<ChunkCipher>;

/**
 * An envelope in, its plaintext out, each chunk once its tag is checked: nothing unauthenticated leaves it.
 * That the end is missing shows only at the end: until the stream has ended without an error, what it gave
 * is a true beginning of the plaintext and perhaps no more.
 */
export function decryptStream(prefixBytes: number, start: StartDecryption): Transform {
  return new PacedTransform(new StreamDecryptor(prefixBytes, start));
}

class StreamDecryptor implements ByteProcessor {
  readonly #prefix: Buffer;
  #prefixFilled = 0;
  readonly #start: StartDecryption;
  readonly #chunks = new BlockSplitter(ENCRYPTED_CHUNK_BYTES);
  #cipher: ChunkCipher | undefined;
  #nextIndex = 0;

  constructor(prefixBytes: number, start: StartDecryption) {
    this.#prefix = Buffer.alloc(prefixBytes);
    this.#start = start;
  }

  async update(bytes: Uint8Array): Promise<Iterable<Buffer>> {
    const fromPrefix = Math.min(this.#prefix.length - this.#prefixFilled, bytes.length);
    this.#prefix.set(bytes.subarray(0, fromPrefix), this.#prefixFilled);
    this.#prefixFilled += fromPrefix;
    if (this.#prefixFilled < this.#prefix.length) return [];

    this.#cipher ??= await this.#start(this.#prefix);
    return this.#decrypt(this.#cipher, bytes.subarray(fromPrefix));
  }

  *finish(): Generator<Buffer> {
    // The last chunk is never full. Without one, or with a piece of one, the end is missing.
    const last = this.#chunks.rest;
    if (this.#cipher === undefined || last.length < TAG_BYTES) throw new DecryptionError(this.#cipher?.keyId);
    const plaintext = this.#cipher.decrypt(this.#nextIndex, last);
    if (plaintext.length > 0) yield plaintext;
  }

  *#decrypt(cipher: ChunkCipher, bytes: Uint8Array): Generator<Buffer> {
    for (const chunk of this.#chunks.split(bytes)) yield cipher.decrypt(this.#nextIndex++, chunk);
  }
}
