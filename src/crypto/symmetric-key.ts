import { randomBytes } from 'node:crypto';
import { type Aead } from './aead.js';
import { type ChunkCipher } from './chunk-cipher.js';
import { ChunkedEncryption, PREFIX_BYTES } from './chunked-encryption.js';
import { type StartedMessage } from './encrypt-stream.js';
import { type EncryptionContext } from './encryption-context.js';
import { boundContext, encodeHeader, HEADER_BYTES } from './envelope.js';
import { DecryptionError } from './errors.js';
import { KEY_BYTES, type SuiteName, suites } from './suites.js';

const KEY_ID_BYTES = 8;
/** What stands in front of the chunks of an envelope of COBBLESTONE-256: header ‖ salt ‖ commitment. */
export const MESSAGE_PREFIX_BYTES = HEADER_BYTES + PREFIX_BYTES;

/** What a key is, all of it public. */
export interface SymmetricKeyParameters {
  /** 16 lower-case hex characters */
  readonly id: string;
  readonly purpose: string;
  readonly owner: string;
  readonly suite: SuiteName;
}

/**
 * One key of one suite, for one purpose and owner. The key bytes are in private fields of its cipher only:
 * logging or serialising the object shows none of them.
 */
export class SymmetricKey {
  readonly id: string;
  readonly purpose: string;
  readonly owner: string;
  readonly suite: SuiteName;
  readonly #aead: Aead;
  readonly #header: Buffer;

  private constructor(parameters: SymmetricKeyParameters, aead: Aead) {
    this.id = parameters.id;
    this.purpose = parameters.purpose;
    this.owner = parameters.owner;
    this.suite = parameters.suite;
    this.#aead = aead;
    this.#header = encodeHeader(suites[parameters.suite].id, parameters.id);
  }

  /**
   * Takes the key over: `rawKey` is filled with zeros, also when it is refused.
   *
   * @param rawKey 32 bytes
   * @throws RangeError for another length, TypeError for an id that is not 16 lower-case hex characters
   */
  static import(parameters: SymmetricKeyParameters, rawKey: Uint8Array): SymmetricKey {
    try {
      if (rawKey.length !== KEY_BYTES) {
        throw new RangeError(`data key ${parameters.id} is ${rawKey.length} bytes, want ${KEY_BYTES}`);
      }
      return new SymmetricKey(parameters, suites[parameters.suite].import(rawKey));
    } finally {
      rawKey.fill(0);
    }
  }

  /** Gives an envelope: see `envelope.ts` for its bytes. The context is authenticated and not stored. */
  encrypt(plaintext: Uint8Array, context: EncryptionContext): Buffer {
    return this.#aead.encrypt(plaintext, boundContext(this.#header, context), this.#header);
  }

  /**
   * @throws DecryptionError for an envelope of another version, suite or key, another context, or any
   * changed, missing or added byte
   */
  decrypt(envelope: Uint8Array, context: EncryptionContext): Buffer {
    if (!this.#header.equals(envelope.subarray(0, HEADER_BYTES))) throw new DecryptionError(this.id);
    try {
      return this.#aead.decrypt(envelope.subarray(HEADER_BYTES), boundContext(this.#header, context));
    } catch (error) {
      if (error instanceof DecryptionError) throw new DecryptionError(this.id);
      throw error;
    }
  }

  /**
   * Starts an envelope that is too long to be held in memory.
   *
   * @throws TypeError when the key's suite is not made of chunks
   */
  startEncryption(context: EncryptionContext): StartedMessage {
    if (!(this.#aead instanceof ChunkedEncryption)) {
      throw new TypeError(`key ${this.id} is of suite ${this.suite}, want COBBLESTONE-256 for a stream`);
    }
    return this.#aead.startEncryption(boundContext(this.#header, context), this.#header);
  }

  /**
   * @param prefix the first `MESSAGE_PREFIX_BYTES` of an envelope
   * @returns what decrypts its chunks
   * @throws DecryptionError for an envelope of another version, suite or key, another context and a changed prefix
   */
  startDecryption(prefix: Uint8Array, context: EncryptionContext): ChunkCipher {
    const isOwn = this.#header.equals(prefix.subarray(0, HEADER_BYTES));
    if (!isOwn || !(this.#aead instanceof ChunkedEncryption)) throw new DecryptionError(this.id);
    const bound = boundContext(this.#header, context);
    return this.#aead.startDecryption(prefix.subarray(HEADER_BYTES), bound, this.id);
  }
}

/** 32 random bytes for `SymmetricKey.import` or `BlindIndexKey.import`, which fill them with zeros. */
export function randomKeyBytes(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** A new key id, 16 lower-case hex characters. */
export function randomKeyId(): string {
  return randomBytes(KEY_ID_BYTES).toString('hex');
}
