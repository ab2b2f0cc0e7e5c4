import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ChunkCipher } from './chunk-cipher.js';
import { DecryptionError } from './errors.js';

const LAST_INDEX = 2 ** 38 - 1;

describe.each(['forOneChunk', 'forManyChunks'] as const)('a chunk under a cipher %s', (kind) => {
  it('opens at its own index and at no other, up to 2^38 - 1', () => {
    const cipher = ChunkCipher[kind](newKeys());
    const indexes = [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 37, LAST_INDEX];
    for (const index of indexes) {
      const encrypted = Buffer.alloc(2 + 16);
      cipher.encrypt(index, Buffer.from('ab'), encrypted, 0);
      expect(cipher.decrypt(index, encrypted).toString()).toBe('ab');
      for (const other of indexes.filter((candidate) => candidate !== index)) {
        expect(() => cipher.decrypt(other, encrypted)).toThrow(DecryptionError);
      }
    }
  });

  it('has the nonce base nonce ⊕ index, as wide as the base nonce', () => {
    const keys = newKeys();
    const sameKey = Buffer.from(keys.key);
    const index = 0x2a_0102_0304;
    const encrypted = Buffer.alloc(16);
    ChunkCipher[kind](keys).encrypt(index, Buffer.alloc(0), encrypted, 0);
    const baseNonce = Buffer.from(keys.baseNonce);
    [0x2a, 1, 2, 3, 4].forEach((byte, position) => (baseNonce[7 + position]! ^= byte));
    expect(ChunkCipher[kind]({ ...keys, key: sameKey, baseNonce }).decrypt(0, encrypted)).toHaveLength(0);
  });

  it('is refused beyond the 4 PiB of the specification', () => {
    const cipher = ChunkCipher[kind](newKeys());
    expect(() => cipher.encrypt(LAST_INDEX + 1, Buffer.alloc(0), Buffer.alloc(16), 0)).toThrow(RangeError);
  });
});

describe('a cipher for many chunks', () => {
  it('takes the raw key over: the source is zero', () => {
    const keys = newKeys();
    ChunkCipher.forManyChunks(keys);
    expect(keys.key).toEqual(Buffer.alloc(32));
  });

  it('names the id of the key it was derived from in the error', () => {
    const cipher = ChunkCipher.forManyChunks(newKeys(), '0123456789abcdef');
    expect(() => cipher.decrypt(0, Buffer.alloc(16))).toThrow(
      expect.objectContaining({ keyId: '0123456789abcdef' }),
    );
  });
});

function newKeys() {
  return { key: randomBytes(32), baseNonce: randomBytes(12), commitment: randomBytes(32) };
}
