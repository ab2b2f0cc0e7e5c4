import { Transform, type TransformCallback } from 'node:stream';

export type Pieces = Iterable<Buffer> | Promise<Iterable<Buffer>>;

/** What a stream makes of its bytes, piece by piece. An error that it throws destroys the stream. */
export interface ByteProcessor {
  /** What can be given out after these bytes, which are the caller's again afterwards. */
  update(bytes: Uint8Array): Pieces;
  /** What is given out after the last byte. */
  finish(): Pieces;
}

/**
 * A Transform that also waits between the pieces of one write: as long as nobody reads, it makes no more of
 * them. Node's own waits only between writes, so that one large write would be held a second time as output.
 */
export class PacedTransform extends Transform {
  readonly #processor: ByteProcessor;
  #resume: (() => void) | undefined;

  constructor(processor: ByteProcessor) {
    super();
    this.#processor = processor;
  }

  override _transform(bytes: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#give(this.#processor.update(bytes)).then(() => callback(), callback);
  }

  override _flush(callback: TransformCallback): void {
    this.#give(this.#processor.finish()).then(() => callback(), callback);
  }

  override _read(size: number): void {
    const resume = this.#resume;
    this.#resume = undefined;
    // oxlint-disable-next-line no-underscore-dangle -- the name is node's
    if (resume === undefined) super._read(size);
    else resume();
  }

  async #give(pieces: Pieces): Promise<void> {
    for (const piece of await pieces) {
      if (this.destroyed) return;
      if (this.push(piece)) continue;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }
}
