import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HkdfExpand } from './hkdf-expand.js';

const NONE = Buffer.alloc(0);

describe('HkdfExpand', () => {
  it('gives what a second composition, from node’s HMAC, gives for any key, info and length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 128 }),
        fc.tuple(fc.uint8Array(), fc.uint8Array(), fc.uint8Array({ maxLength: 2000, size: 'max' })),
        fc.integer({ min: 1, max: 700 }),
        (key, [label, salt, context], length) => {
          const expected = expandByHmac(key, Buffer.concat([label, salt, context]), length);
          expect(new HkdfExpand(key).expand(label, salt, context, length)).toEqual(expected);
        },
      ),
    );
  });

  it.each([64, 128, 255 * 64])('ends with a whole block at %i bytes', (length) => {
    const key = randomBytes(32);
    expect(new HkdfExpand(key).expand(NONE, NONE, NONE, length)).toEqual(expandByHmac(key, NONE, length));
  });

  it('keeps nothing of one call for the next', () => {
    const key = randomBytes(32);
    const used = new HkdfExpand(key);
    for (const bytes of [0, 831, 832, 5000, 3]) {
      const info = randomBytes(bytes);
      const fresh = new HkdfExpand(key).expand(NONE, NONE, info, 76);
      expect(used.expand(NONE, NONE, info, 76)).toEqual(fresh);
    }
  });

  it('refuses more than the 255 blocks of RFC 5869 and a key longer than a block', () => {
    expect(() => new HkdfExpand(randomBytes(32)).expand(NONE, NONE, NONE, 255 * 64 + 1)).toThrow(RangeError);
    expect(() => new HkdfExpand(randomBytes(129))).toThrow('key is 129 bytes, want at most 128');
  });
});

function expandByHmac(key: Uint8Array, info: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = NONE, counter = 1; blocks.length * 64 < length; counter++) {
    block = createHmac('sha512', key).update(block).update(info).update(Buffer.of(counter)).digest();
    blocks.push(block);
  }
  return Buffer.concat(blocks).subarray(0, length);
}
