import { type Transform } from 'node:stream';
import { BlockSplitter } from './block-splitter.js';
import { CHUNK_BYTES, type ChunkCipher, ENCRYPTED_CHUNK_BYTES, TAG_BYTES } from './chunk-cipher.js';
import { type ByteProcessor, PacedTransform } from './paced-transform.js';

/** Chunks given out at once. One by one the hand-overs would cost a third of the CPU. */
const CHUNKS_PER_PIECE = 4;
const EMPTY = Buffer.alloc(0);

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
    let left = this.#chunks.blocksOf(bytes.length);
    let output = EMPTY;
    let filled = 0;
    for (const chunk of this.#chunks.split(bytes)) {
      if (filled === 0) output = Buffer.allocUnsafe(Math.min(left, CHUNKS_PER_PIECE) * ENCRYPTED_CHUNK_BYTES);
      this.#cipher.encrypt(this.#nextIndex++, chunk, output, filled);
      filled += ENCRYPTED_CHUNK_BYTES;
      left--;
      if (filled < output.length) continue;
      yield output;
      filled = 0;
    }
  }

  *finish(): Generator<Buffer> {
    yield* this.#start();
    // Always less than a full chunk, if need be empty: that is how a reader knows the last one.
    const last = this.#chunks.rest;
    const output = Buffer.allocUnsafe(last.length + TAG_BYTES);
    this.#cipher.encrypt(this.#nextIndex, last, output, 0);
    yield output;
  }

  *#start(): Generator<Buffer> {
    if (this.#prefix) yield this.#prefix;
    this.#prefix = undefined;
  }
}
