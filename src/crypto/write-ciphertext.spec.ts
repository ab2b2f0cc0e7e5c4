import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { move, writeCiphertext } from './write-ciphertext.js';

const PIECE = 1_048_576;

describe('writeCiphertext', () => {
  const key = createSecretKey(randomBytes(32));
  const nonce = randomBytes(12);
  const newCipher = () => createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });

  it.each([0, 1, 4_095, 4_096, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7])(
    'writes what the cipher makes of %d bytes at once, and nothing beside it',
    (length) => {
      const plaintext = randomBytes(length);
      const before = Buffer.from(plaintext);
      const output = Buffer.alloc(34 + length + 16, 0x55);
      const cipher = newCipher();
      writeCiphertext(cipher, plaintext, output, 34);
      cipher.final();

      const whole = newCipher();
      const expected = Buffer.concat([whole.update(plaintext), whole.final()]);
      expect(output.subarray(34, 34 + length).equals(expected)).toBe(true);
      expect(cipher.getAuthTag()).toEqual(whole.getAuthTag());
      const beside = Buffer.concat([output.subarray(0, 34), output.subarray(34 + length)]);
      expect(beside.equals(Buffer.alloc(50, 0x55))).toBe(true);
      expect(plaintext.equals(before)).toBe(true);
    },
  );

  it('gives up no memory that something else is in', () => {
    const shared = Buffer.alloc(10_000, 1);
    const output = Buffer.alloc(5_000);
    move(shared.subarray(0, 5_000), output, 0);
    expect(shared).toHaveLength(10_000);
    move(shared, Buffer.alloc(10_000), 0);
    expect(shared).toHaveLength(0);
  });
});
