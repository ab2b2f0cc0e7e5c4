import { type Transform } from 'node:stream';
import { BlockSplitter } from './block-splitter.js';
import { CHUNK_BYTES, type ChunkCipher, TAG_BYTES } from './chunk-cipher.js';
import { type ByteProcessor, PacedTransform } from './paced-transform.js';

/** A message of which everything but the chunks exists. */
export interface StartedMessage {
  /** Envelope header ‖ salt ‖ commitment, to stand in front of the chunks */
  readonly prefix: Buffer;
  readonly cipher: ChunkCipher;
}

/**
 * Plaintext in, the message's envelope out. It holds at most one chunk of plaintext, and the output that
 * the readable side keeps by its high-water mark.
 */
export function encryptStream(message: StartedMessage): Transform {
  return new PacedTransform(new StreamEncryptor(message));
}

class StreamEncryptor implements ByteProcessor {
  readonly #cipher: ChunkCipher;
  readonly #chunks = new BlockSplitter(CHUNK_BYTES);
  #prefix: Buffer | undefined;
  #nextIndex = 0;

  constructor({ prefix, cipher }: StartedMessage) {
    this.#prefix = prefix;
    this.#cipher = cipher;
  }

  *update(bytes: Uint8Array): Generator<Buffer> {
    yield* this.#start();
    for (const chunk of this.#chunks.split(bytes)) yield this.#encrypt(chunk);
  }

  *finish(): Generator<Buffer> {
    yield* this.#start();
    // Always less than a full chunk, if need be empty: that is how a reader knows the last one.
    yield this.#encrypt(this.#chunks.rest);
  }

  *#start(): Generator<Buffer> {
    if (this.#prefix) yield this.#prefix;
    this.#prefix = undefined;
  }

  #encrypt(chunk: Uint8Array): Buffer {
    const output = Buffer.allocUnsafe(chunk.length + TAG_BYTES);
    this.#cipher.encrypt(this.#nextIndex++, chunk, output, 0);
    return output;
  }
}
