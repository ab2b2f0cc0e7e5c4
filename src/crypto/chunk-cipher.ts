import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { DecryptionError } from './errors.js';
import { type MessageKeys } from './message-keys.js';
import { singleUseKey } from './single-use-key.js';
import { writeCiphertext } from './write-ciphertext.js';

/** Plaintext bytes of every chunk but the last, which is shorter and may be empty. */
export const CHUNK_BYTES = 16_384;
export const TAG_BYTES = 16;
export const ENCRYPTED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
/** The specification's bound, 4 PiB of plaintext: a counter beyond it reaches into other messages' nonces. */
export const MAX_CHUNKS = 2 ** 38;
const GCM_OPTIONS = { authTagLength: TAG_BYTES };
const UINT32_RANGE = 2 ** 32;

/** Encrypts and decrypts the chunks of one message, each by its index. */
export class ChunkCipher {
  readonly #key: Buffer | KeyObject;
  readonly #baseNonce: Buffer;
  /** Kept, because a cipher takes its nonce over at once. */
  #nonceOfChunk: Buffer | undefined;

  private constructor(
    key: Buffer | KeyObject,
    { baseNonce }: MessageKeys,
    /** The id of the key that the message's keys were derived from, for errors. */
    readonly keyId?: string,
  ) {
    this.#key = key;
    this.#baseNonce = baseNonce;
  }

  /** For a message of one chunk. Valid as long as `keys.key` is not filled with zeros. */
  static forOneChunk(keys: MessageKeys): ChunkCipher {
    return new ChunkCipher(singleUseKey(keys.key), keys);
  }

  /** For any number of chunks: the one `KeyObject` saves what each chunk would spend on a raw key. Takes `keys.key` over. */
  static forManyChunks(keys: MessageKeys, keyId?: string): ChunkCipher {
    const cipher = new ChunkCipher(createSecretKey(keys.key), keys, keyId);
    keys.key.fill(0);
    return cipher;
  }

  /**
   * Encrypts the chunk of this index into `output[start]` as ciphertext ‖ tag 16.
   *
   * The nonce is base nonce ⊕ index. An index in use twice with two plaintexts under the same keys breaks
   * both, so a chunk that changes needs a new salt.
   */
  encrypt(index: number, plaintext: Uint8Array, output: Buffer, start: number): void {
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonce(index), GCM_OPTIONS);
    writeCiphertext(cipher, plaintext, output, start);
    cipher.final();
    output.set(cipher.getAuthTag(), start + plaintext.length);
  }

  /**
   * Decrypts ciphertext ‖ tag 16 of the chunk of this index, at least 16 bytes. Nothing is returned before
   * the tag is checked. Whether a chunk may be the last one is the caller's to decide, by its length.
   *
   * @throws DecryptionError
   */
  decrypt(index: number, ciphertext: Uint8Array): Buffer {
    const tagStart = ciphertext.length - TAG_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonce(index), GCM_OPTIONS);
    decipher.setAuthTag(ciphertext.subarray(tagStart));
    const plaintext = decipher.update(ciphertext.subarray(0, tagStart));
    try {
      decipher.final();
    } catch {
      throw new DecryptionError(this.keyId);
    }
    return plaintext;
  }

  #nonce(index: number): Buffer {
    if (index >= MAX_CHUNKS) throw new RangeError(`chunk ${index} is beyond the last one of 4 PiB`);
    if (index === 0) return this.#baseNonce;
    this.#nonceOfChunk ??= Buffer.from(this.#baseNonce);
    this.#nonceOfChunk.writeUInt8(this.#baseNonce.readUInt8(7) ^ Math.floor(index / UINT32_RANGE), 7);
    this.#nonceOfChunk.writeInt32BE(this.#baseNonce.readInt32BE(8) ^ (index % UINT32_RANGE), 8);
    return this.#nonceOfChunk;
  }
}
