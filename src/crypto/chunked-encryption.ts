import { createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Aead } from './aead.js';
import { CHUNK_BYTES, decryptChunk, encryptChunk, ENCRYPTED_CHUNK_BYTES, TAG_BYTES } from './chunk-cipher.js';
import { DecryptionError } from './errors.js';
import { COMMITMENT_BYTES, deriveMessageKeys, type MessageKeys } from './message-keys.js';
import { NONCE_BYTES, type NonceWriter, writeRandomNonce } from './random-nonce.js';

const SALT_BYTES = NONCE_BYTES;
const PREFIX_BYTES = SALT_BYTES + COMMITMENT_BYTES;
const EMPTY = Buffer.alloc(0);

/**
 * C2SP chunked-encryption with AES-256-GCM, "Cobblestone-256", for values held in memory.
 * Output: salt 24 ‖ commitment 32 ‖ chunks of 16 384 + tag 16, the last one shorter.
 *
 * The associated data is the specification's context: it goes into the key derivation, not into the
 * chunks, so a wrong one fails the commitment before anything is decrypted.
 */
export class ChunkedEncryption implements Aead {
  readonly #key: KeyObject;

  readonly #writeSalt: NonceWriter;

  /**
   * @param key 32 uniformly random bytes, copied
   * @param writeSalt for known-answer tests: a repeated salt gives both plaintexts away
   */
  constructor(key: Uint8Array, writeSalt: NonceWriter = writeRandomNonce) {
    this.#writeSalt = writeSalt;
    this.#key = createSecretKey(key);
  }

  encrypt(plaintext: Uint8Array, associatedData: Uint8Array, header: Uint8Array = EMPTY): Buffer {
    // Every value ends with a chunk that isn't full, if need be with an empty one.
    const lastIndex = Math.floor(plaintext.length / CHUNK_BYTES);
    const saltStart = header.length;
    const chunksStart = saltStart + PREFIX_BYTES;
    const output = Buffer.allocUnsafe(chunksStart + plaintext.length + (lastIndex + 1) * TAG_BYTES);
    output.set(header, 0);
    this.#writeSalt(output, saltStart);
    const salt = output.subarray(saltStart, saltStart + SALT_BYTES);
    const keys = deriveMessageKeys(this.#key, salt, associatedData);
    output.set(keys.commitment, saltStart + SALT_BYTES);

    for (let index = 0; index <= lastIndex; index++) {
      const chunk = lastIndex === 0 ? plaintext : chunkAt(plaintext, index, CHUNK_BYTES);
      encryptChunk(keys, index, chunk, output, chunksStart + index * ENCRYPTED_CHUNK_BYTES);
    }
    keys.key.fill(0);
    return output;
  }

  decrypt(ciphertext: Uint8Array, associatedData: Uint8Array): Buffer {
    const chunks = ciphertext.subarray(PREFIX_BYTES);
    const lastIndex = Math.floor(chunks.length / ENCRYPTED_CHUNK_BYTES);
    // A last chunk that is full, or too short for its tag, is a truncated value.
    const lastBytes = chunks.length - lastIndex * ENCRYPTED_CHUNK_BYTES;
    if (ciphertext.length < PREFIX_BYTES || lastBytes < TAG_BYTES) throw new DecryptionError();

    const keys = deriveMessageKeys(this.#key, ciphertext.subarray(0, SALT_BYTES), associatedData);
    try {
      if (!timingSafeEqual(ciphertext.subarray(SALT_BYTES, PREFIX_BYTES), keys.commitment)) {
        throw new DecryptionError();
      }
      return lastIndex === 0 ? decryptChunk(keys, 0, chunks) : decryptChunks(keys, chunks, lastIndex);
    } finally {
      keys.key.fill(0);
    }
  }
}

function decryptChunks(keys: MessageKeys, chunks: Uint8Array, lastIndex: number): Buffer {
  // Not from the shared pool: plaintext keeps a memory of its own.
  const plaintext = Buffer.allocUnsafeSlow(chunks.length - (lastIndex + 1) * TAG_BYTES);
  for (let index = 0; index <= lastIndex; index++) {
    const chunk = decryptChunk(keys, index, chunkAt(chunks, index, ENCRYPTED_CHUNK_BYTES));
    plaintext.set(chunk, index * CHUNK_BYTES);
  }
  return plaintext;
}

function chunkAt(bytes: Uint8Array, index: number, size: number): Uint8Array {
  return bytes.subarray(index * size, (index + 1) * size);
}
