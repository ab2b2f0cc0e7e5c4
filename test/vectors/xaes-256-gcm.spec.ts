import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type NonceWriter } from '../../src/crypto/random-nonce.js';
import { Xaes256Gcm } from '../../src/crypto/xaes-256-gcm.js';

// C2SP XAES-256-GCM (https://c2sp.org/XAES-256-GCM), "Test vectors". In the first MSB₁(L) = 0, in the second 1.
const vectors = [
  {
    key: '01'.repeat(32),
    associatedData: '',
    ciphertext: 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271',
  },
  {
    key: '03'.repeat(32),
    associatedData: 'c2sp.org/XAES-256-GCM',
    ciphertext: '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d',
  },
];
const NONCE = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
const PLAINTEXT = Buffer.from('XAES-256-GCM');

// The same page, "Accumulated randomized tests", for 10 000 iterations.
const ITERATIONS = 10_000;
const ACCUMULATED = 'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939';

describe('XAES-256-GCM', () => {
  it.each(vectors)(
    'gives the specification’s ciphertext under $key',
    ({ key, associatedData, ciphertext }) => {
      const aead = new Xaes256Gcm(Buffer.from(key, 'hex'), fixed(NONCE));
      const encrypted = aead.encrypt(PLAINTEXT, Buffer.from(associatedData));
      expect(encrypted.toString('hex')).toBe(NONCE.toString('hex') + ciphertext);
      expect(aead.decrypt(encrypted, Buffer.from(associatedData))).toEqual(PLAINTEXT);
    },
  );

  it('gives the specification’s hash over 10 000 random messages and decrypts each', () => {
    const read = shake128Reader();
    const ciphertexts = createHash('shake128', { outputLength: 32 });
    let decrypted = 0;
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      const key = read(32);
      const nonce = read(24);
      const plaintext = read(read(1).readUInt8());
      const associatedData = read(read(1).readUInt8());
      const aead = new Xaes256Gcm(key, fixed(nonce));
      const encrypted = aead.encrypt(plaintext, associatedData);
      ciphertexts.update(encrypted.subarray(nonce.length));
      if (aead.decrypt(encrypted, associatedData).equals(plaintext)) decrypted++;
    }
    expect(ciphertexts.digest('hex')).toBe(ACCUMULATED);
    expect(decrypted).toBe(ITERATIONS);
  });
});

function fixed(nonce: Buffer): NonceWriter {
  return (target, start) => target.set(nonce, start);
}

/** Reads SHAKE-128 of the empty string: 10 000 messages take at most 56 + 2 + 510 bytes each. */
function shake128Reader(): (length: number) => Buffer {
  const stream = createHash('shake128', { outputLength: ITERATIONS * 568 }).digest();
  expect(stream.subarray(0, 16).toString('hex')).toBe('7f9c2ba4e88f827d616045507605853e');
  let offset = 0;
  return (length) => {
    offset += length;
    return stream.subarray(offset - length, offset);
  };
}
