import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { BlockSplitter } from './block-splitter.js';

describe('BlockSplitter', () => {
  it('gives the same bytes in blocks of one size and a shorter rest, however they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 16 }),
        (pieces, size) => {
          const splitter = new BlockSplitter(size);
          const blocks = pieces.flatMap((piece) => Array.from(splitter.split(piece), ({ length }) => length));
          expect(new Set(blocks)).toEqual(blocks.length > 0 ? new Set([size]) : new Set());
          expect(splitter.rest.length).toBeLessThan(size);

          const again = new BlockSplitter(size);
          const joined: Buffer[] = [];
          for (const piece of pieces) for (const block of again.split(piece)) joined.push(Buffer.from(block));
          expect(Buffer.concat([...joined, again.rest])).toEqual(Buffer.concat(pieces));
        },
      ),
    );
  });

  it('keeps a copy of the rest: the bytes are the caller’s again', () => {
    const splitter = new BlockSplitter(4);
    const bytes = Buffer.from('abc');
    expect(Array.from(splitter.split(bytes), String)).toEqual([]);
    bytes.fill(0);
    expect(Array.from(splitter.split(Buffer.from('d')), String)).toEqual(['abcd']);
  });
});
