import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { readAll } from '../../test/support/read-all.js';
import { type ByteProcessor, PacedTransform } from './paced-transform.js';

const PIECE = Buffer.alloc(16_384, 'x');
const PIECES = 1000;

describe('PacedTransform', () => {
  it('makes no more than its high-water mark of one large write as long as nobody reads', async () => {
    const { processor, made } = newCounter();
    const transform = new PacedTransform(processor);
    transform.end(Buffer.alloc(1));
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(made()).toBeLessThanOrEqual(Math.ceil(transform.readableHighWaterMark / PIECE.length));
    expect(transform.readableLength).toBeLessThanOrEqual(transform.readableHighWaterMark + PIECE.length);
  });

  it('goes on when somebody reads, to the last piece', async () => {
    const { processor, made } = newCounter();
    const { output, error } = await readAll([Buffer.alloc(1)], new PacedTransform(processor));
    expect(error).toBeUndefined();
    expect(made()).toBe(PIECES);
    expect(output).toHaveLength(PIECES * PIECE.length);
  });

  it('takes no second write before the first is through', async () => {
    const { processor } = newCounter();
    const transform = new PacedTransform(processor);
    let isTaken = false;
    transform.write(Buffer.alloc(1), () => (isTaken = true));
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(isTaken).toBe(false);
    transform.destroy();
  });

  it('makes nothing more once it is destroyed', async () => {
    const { processor, made } = newCounter();
    const transform = new PacedTransform(processor);
    transform.write(Buffer.alloc(1));
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    const before = made();
    transform.destroy();
    transform.read();
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    expect(made()).toBe(before);
  });

  it.each(['update', 'finish'] as const)('fails with what the processor throws in %s', async (step) => {
    const { processor } = newCounter();
    const fault = new Error('no');
    const failing = {
      ...processor,
      *[step](): Generator<Buffer> {
        yield PIECE;
        throw fault;
      },
    };
    const { error } = await readAll([Buffer.alloc(1)], new PacedTransform(failing));
    expect(error).toBe(fault);
  });
});

/** Makes a thousand pieces of any write, and counts them. */
function newCounter(): { processor: ByteProcessor; made: () => number } {
  let made = 0;
  const processor = {
    *update(): Generator<Buffer> {
      for (; made < PIECES; made++) yield PIECE;
    },
    finish: () => [],
  };
  return { processor, made: () => made };
}
