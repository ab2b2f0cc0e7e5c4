/** Cuts bytes that come in pieces of any size into blocks of one size. Holds less than one block. */
export class BlockSplitter {
  readonly #carry: Buffer;
  #carriedBytes = 0;

  constructor(readonly blockBytes: number) {
    this.#carry = Buffer.alloc(blockBytes);
  }

  /** Every block that is complete with these bytes. A block is valid until the next one is asked for. */
  *split(bytes: Uint8Array): Generator<Uint8Array, void> {
    let offset = 0;
    if (this.#carriedBytes > 0) {
      offset = Math.min(this.blockBytes - this.#carriedBytes, bytes.length);
      this.#carry.set(bytes.subarray(0, offset), this.#carriedBytes);
      this.#carriedBytes += offset;
      if (this.#carriedBytes < this.blockBytes) return;
      this.#carriedBytes = 0;
      yield this.#carry;
    }
    for (; offset + this.blockBytes <= bytes.length; offset += this.blockBytes) {
      yield bytes.subarray(offset, offset + this.blockBytes);
    }
    this.#carry.set(bytes.subarray(offset));
    this.#carriedBytes = bytes.length - offset;
  }

  /** How many blocks `split` would give of so many further bytes. */
  blocksOf(bytes: number): number {
    return Math.floor((this.#carriedBytes + bytes) / this.blockBytes);
  }

  /** What is left over: less than a block, possibly nothing. */
  get rest(): Uint8Array {
    return this.#carry.subarray(0, this.#carriedBytes);
  }
}
