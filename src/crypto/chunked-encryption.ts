import { timingSafeEqual } from 'node:crypto';
import { type Aead } from './aead.js';
import { CHUNK_BYTES, ChunkCipher, ENCRYPTED_CHUNK_BYTES, TAG_BYTES } from './chunk-cipher.js';
import { type StartedMessage } from './encrypt-stream.js';
import { DecryptionError } from './errors.js';
import { HkdfExpand } from './hkdf-expand.js';
import { COMMITMENT_BYTES, deriveMessageKeys, type MessageKeys } from './message-keys.js';
import { NONCE_BYTES, type NonceWriter, writeRandomNonce } from './random-nonce.js';
import { move } from './write-ciphertext.js';

const SALT_BYTES = NONCE_BYTES;
/** Salt and commitment, in front of the chunks. */
export const PREFIX_BYTES = SALT_BYTES + COMMITMENT_BYTES;
const EMPTY = Buffer.alloc(0);

/**
 * C2SP chunked-encryption with AES-256-GCM, "Cobblestone-256".
 * Output: salt 24 ‖ commitment 32 ‖ chunks of 16 384 + tag 16, the last one shorter.
 *
 * The associated data is the specification's context: it goes into the key derivation, not into the
 * chunks, so a wrong one fails the commitment before anything is decrypted.
 */
export class ChunkedEncryption implements Aead {
  readonly #key: HkdfExpand;

  readonly #writeSalt: NonceWriter;

  /**
   * @param key 32 uniformly random bytes, copied
   * @param writeSalt for known-answer tests: a repeated salt gives both plaintexts away
   */
  constructor(key: Uint8Array, writeSalt: NonceWriter = writeRandomNonce) {
    this.#writeSalt = writeSalt;
    this.#key = new HkdfExpand(key);
  }

  encrypt(plaintext: Uint8Array, associatedData: Uint8Array, header: Uint8Array = EMPTY): Buffer {
    // Every value ends with a chunk that isn't full, if need be with an empty one.
    const lastIndex = Math.floor(plaintext.length / CHUNK_BYTES);
    const chunksStart = header.length + PREFIX_BYTES;
    const output = Buffer.allocUnsafe(chunksStart + plaintext.length + (lastIndex + 1) * TAG_BYTES);
    output.set(header, 0);
    const keys = this.#writePrefix(output, header.length, associatedData);
    if (lastIndex === 0) {
      ChunkCipher.forOneChunk(keys).encrypt(0, plaintext, output, chunksStart);
      keys.key.fill(0);
      return output;
    }

    const cipher = ChunkCipher.forManyChunks(keys);
    for (let index = 0; index <= lastIndex; index++) {
      const start = chunksStart + index * ENCRYPTED_CHUNK_BYTES;
      cipher.encrypt(index, chunkAt(plaintext, index, CHUNK_BYTES), output, start);
    }
    return output;
  }

  decrypt(ciphertext: Uint8Array, associatedData: Uint8Array): Buffer {
    const chunks = ciphertext.subarray(PREFIX_BYTES);
    const lastIndex = Math.floor(chunks.length / ENCRYPTED_CHUNK_BYTES);
    // A last chunk that is full, or too short for its tag, is a truncated value.
    const lastBytes = chunks.length - lastIndex * ENCRYPTED_CHUNK_BYTES;
    if (ciphertext.length < PREFIX_BYTES || lastBytes < TAG_BYTES) throw new DecryptionError();

    const keys = this.#checkPrefix(ciphertext, associatedData);
    try {
      return lastIndex === 0
        ? ChunkCipher.forOneChunk(keys).decrypt(0, chunks)
        : decryptChunks(ChunkCipher.forManyChunks(keys), chunks, lastIndex);
    } finally {
      keys.key.fill(0);
    }
  }

  /**
   * Starts a message whose chunks the caller encrypts: indexes 0, 1, 2, … once each, all of them full but
   * the last, which is not.
   *
   * @returns header ‖ salt ‖ commitment, to stand in front of the chunks, and their cipher
   */
  startEncryption(associatedData: Uint8Array, header: Uint8Array): StartedMessage {
    const prefix = Buffer.alloc(header.length + PREFIX_BYTES);
    prefix.set(header, 0);
    const keys = this.#writePrefix(prefix, header.length, associatedData);
    return { prefix, cipher: ChunkCipher.forManyChunks(keys) };
  }

  /**
   * @param prefix salt ‖ commitment
   * @param keyId for the errors of the cipher
   * @throws DecryptionError when the commitment is to another key, salt or associated data
   */
  startDecryption(prefix: Uint8Array, associatedData: Uint8Array, keyId: string): ChunkCipher {
    if (prefix.length !== PREFIX_BYTES) throw new DecryptionError(keyId);
    return ChunkCipher.forManyChunks(this.#checkPrefix(prefix, associatedData, keyId), keyId);
  }

  #writePrefix(output: Buffer, start: number, associatedData: Uint8Array): MessageKeys {
    this.#writeSalt(output, start);
    const commitmentStart = start + SALT_BYTES;
    const keys = deriveMessageKeys(this.#key, output.subarray(start, commitmentStart), associatedData);
    output.set(keys.commitment, commitmentStart);
    return keys;
  }

  /** @param message at least the prefix */
  #checkPrefix(message: Uint8Array, associatedData: Uint8Array, keyId?: string): MessageKeys {
    const keys = deriveMessageKeys(this.#key, message.subarray(0, SALT_BYTES), associatedData);
    if (timingSafeEqual(message.subarray(SALT_BYTES, PREFIX_BYTES), keys.commitment)) return keys;
    keys.key.fill(0);
    throw new DecryptionError(keyId);
  }
}

function decryptChunks(cipher: ChunkCipher, chunks: Uint8Array, lastIndex: number): Buffer {
  // Not from the shared pool: plaintext keeps a memory of its own.
  const plaintext = Buffer.allocUnsafeSlow(chunks.length - (lastIndex + 1) * TAG_BYTES);
  for (let index = 0; index <= lastIndex; index++) {
    move(
      cipher.decrypt(index, chunkAt(chunks, index, ENCRYPTED_CHUNK_BYTES)),
      plaintext,
      index * CHUNK_BYTES,
    );
  }
  return plaintext;
}

function chunkAt(bytes: Uint8Array, index: number, size: number): Uint8Array {
  return bytes.subarray(index * size, (index + 1) * size);
}
