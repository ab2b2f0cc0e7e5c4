import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decryptChunk, encryptChunk } from './chunk-cipher.js';
import { DecryptionError } from './errors.js';
import { deriveMessageKeys } from './message-keys.js';

const keys = deriveMessageKeys(createSecretKey(randomBytes(32)), randomBytes(24), Buffer.alloc(0));
const LAST_INDEX = 2 ** 38 - 1;

describe('a chunk', () => {
  it('opens at its own index and at no other, up to 2^38 - 1', () => {
    const indexes = [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 37, LAST_INDEX];
    for (const index of indexes) {
      const encrypted = Buffer.alloc(2 + 16);
      encryptChunk(keys, index, Buffer.from('ab'), encrypted, 0);
      expect(decryptChunk(keys, index, encrypted).toString()).toBe('ab');
      for (const other of indexes.filter((candidate) => candidate !== index)) {
        expect(() => decryptChunk(keys, other, encrypted)).toThrow(DecryptionError);
      }
    }
  });

  it('has the nonce base nonce ⊕ index, as wide as the base nonce', () => {
    const index = 0x2a_0102_0304;
    const encrypted = Buffer.alloc(16);
    encryptChunk(keys, index, Buffer.alloc(0), encrypted, 0);
    const nonce = Buffer.from(keys.baseNonce);
    [0x2a, 1, 2, 3, 4].forEach((byte, position) => (nonce[7 + position]! ^= byte));
    expect(decryptChunk({ ...keys, baseNonce: nonce }, 0, encrypted)).toHaveLength(0);
  });

  it('is refused beyond the 4 PiB of the specification', () => {
    expect(() => encryptChunk(keys, LAST_INDEX + 1, Buffer.alloc(0), Buffer.alloc(16), 0)).toThrow(
      RangeError,
    );
  });
});
