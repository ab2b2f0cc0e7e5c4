import { describe, expect, it } from '@jest/globals';
import { NONCE_BYTES, writeRandomNonce } from './random-nonce.js';

describe('writeRandomNonce', () => {
  it('never repeats a nonce, across refills of the pool', () => {
    const seen = new Set<string>();
    for (let count = 0; count < 5000; count++) {
      const target = Buffer.alloc(NONCE_BYTES);
      writeRandomNonce(target, 0);
      seen.add(target.toString('hex'));
    }
    expect(seen.size).toBe(5000);
  });

  it('writes 24 bytes and only there', () => {
    for (let count = 0; count < 300; count++) {
      const target = Buffer.alloc(4 + NONCE_BYTES + 4);
      writeRandomNonce(target, 4);
      expect(target.readUInt32BE(0)).toBe(0);
      expect(target.readUInt32BE(4 + NONCE_BYTES)).toBe(0);
    }
  });

  it('fills every one of the 24 bytes', () => {
    const union = Buffer.alloc(NONCE_BYTES);
    for (let count = 0; count < 100; count++) {
      const target = Buffer.alloc(NONCE_BYTES);
      writeRandomNonce(target, 0);
      target.forEach((byte, index) => (union[index]! |= byte));
    }
    expect(union).toEqual(Buffer.alloc(NONCE_BYTES, 0xff));
  });
});
