import { hash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { ChunkedEncryption } from '../../src/crypto/chunked-encryption.js';
import { DecryptionError } from '../../src/crypto/errors.js';
import { HkdfExpand } from '../../src/crypto/hkdf-expand.js';
import { deriveMessageKeys } from '../../src/crypto/message-keys.js';
import { randomKeyId, SymmetricKey } from '../../src/crypto/symmetric-key.js';
import { readWycheproof } from './wycheproof-file.js';

/** A case of C2SP/wycheproof, `c2sp_chunked_encryption_aes_256_gcm_test.json`; `ct` is zlib-compressed. */
interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly key: string;
  readonly ctx: string;
  readonly ct: string;
  readonly aeadKey?: string;
  readonly baseNonce?: string;
  readonly msgSha512?: string;
  readonly result: 'valid' | 'invalid';
}

const SALT_BYTES = 24;
const KEY_BYTES = 32;

// Cases 1, 9, 11 and 24 of that file at commit dac1dd4.
const knownAnswers: readonly Vector[] = [
  {
    tcId: 1,
    comment: 'empty message',
    key: '59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e',
    ctx: '',
    ct: '78da004800b7ff43a2e39431cbae0389d3fc86adf46f7c3a24de88d9311617e53f3164cc1d5dc738a66b97f0bf786565c31799c2f463d50a7e10046011dc6fc3c939e3a5db7affb6191551669554fb010000ffff4bc124df',
    aeadKey: '781b72bce3c966fffb09e5d596e1d21b029b21a9599852fb9b9f644e23b86ae8',
    baseNonce: 'f206a92ac0ba380c8e9e3843',
    msgSha512:
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    result: 'valid',
  },
  {
    tcId: 9,
    comment: 'short message with non-empty context string',
    key: '59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e',
    ctx: '7465737420636f6e74657874',
    ct: '78da004f00b0ffdbedaefc1c35dc6c0f22b743b03e488747166a51f33479e7ceb8b7e11cc0d2710f624a127501bc4aea7d0af6f83cfe359b9e69415aa537f36adf86eb35b070475baa039bb7791432adbca49578bbd3010000ffff2fed280a',
    aeadKey: '580dd69d5b20db77593dd1d6d48cfc766f87f8256039a744647da02670e32e06',
    baseNonce: '2baf384a0102fd69155740f4',
    msgSha512:
      'e85f32a85f1d4f7c9b2d36d20eca8435d81253e7075e9dea069eb1b6da48daf92ef1797367b520d8a46c4f72cecb85b1daff8887fcb41721d39943d1952fc180',
    result: 'valid',
  },
  {
    tcId: 11,
    comment: 'single chunk with flipped ciphertext bit',
    key: '59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e',
    ctx: '',
    ct: '78da004900b6ff0093274a932cb4340ca678d500719d80ccc21f69c49586a8cae519f1ae94a13a97038610177fe840ac755f6604849272444b0de559508a2a00538b8dd8cc3a83e14df1343fa14630a2010000ffffc0482101',
    aeadKey: 'a6058f74650bab47cf3f9f3e44898c344b5e2659186f258d6483443869c14d04',
    baseNonce: '203d6516e20ef7808b1667d3',
    result: 'invalid',
  },
  {
    tcId: 24,
    comment: 'valid ciphertext encrypted with too-long key',
    key: '4f52414e4745205355424d4152494e45204f52414e4745205355424d4152494e45',
    ctx: '',
    ct: '78da004900b6ffa8216cfec9382688e31855498b1926ee6d34fa36b0923ab847f28096ca9cb85541317e5996a82aa8eb0aac8cdfdce37dbb44e2000c169b4a003a3e67f79899f915d167b39ea1d8cd1d010000ffff29f52485',
    result: 'invalid',
  },
];

const { isPresent, groups } = readWycheproof<{ readonly tests: readonly Vector[] }>(
  'c2sp_chunked_encryption_aes_256_gcm_test.json',
);
const vectors = isPresent ? groups.flatMap(({ tests }) => tests) : knownAnswers;

describe('Cobblestone-256', () => {
  const source = isPresent
    ? 'all 35 cases of C2SP/wycheproof'
    : 'the short cases only, as ../shared/vectors is absent';
  it(`reads ${source}`, () => {
    expect(vectors).toHaveLength(isPresent ? 35 : knownAnswers.length);
  });

  const valid = vectors.filter(({ result }) => result === 'valid');
  it.each(valid)('decrypts case $tcId and encrypts it to the same bytes: $comment', (vector) => {
    const { context, ciphertext } = bytesOf(vector);
    const aead = newAead(vector);
    const plaintext = aead.decrypt(ciphertext, context);
    expect(hash('sha512', plaintext)).toBe(vector.msgSha512);
    // Not by `toEqual`: a difference in 4 MiB is no message for a person.
    expect(aead.encrypt(plaintext, context).equals(ciphertext)).toBe(true);
  });

  const derived = vectors.filter(({ aeadKey }) => aeadKey !== undefined);
  it.each(derived)('derives the keys of case $tcId: $comment', (vector) => {
    const { key, context, ciphertext } = bytesOf(vector);
    const keys = deriveMessageKeys(new HkdfExpand(key), ciphertext.subarray(0, SALT_BYTES), context);
    expect(keys.key.toString('hex')).toBe(vector.aeadKey);
    expect(keys.baseNonce.toString('hex')).toBe(vector.baseNonce);
  });

  const invalid = vectors.filter(({ result }) => result === 'invalid');
  it.each(invalid.filter(hasKeyOf32Bytes))('refuses case $tcId: $comment', (vector) => {
    const { context, ciphertext } = bytesOf(vector);
    expect(() => newAead(vector).decrypt(ciphertext, context)).toThrow(DecryptionError);
  });

  it.each(invalid.filter((vector) => !hasKeyOf32Bytes(vector)))(
    'refuses the key of case $tcId: $comment',
    (vector) => {
      const parameters = { id: randomKeyId(), purpose: 'p', owner: 'o', suite: 'COBBLESTONE-256' } as const;
      const { key } = bytesOf(vector);
      expect(() => SymmetricKey.import(parameters, key)).toThrow(`is ${key.length} bytes, want 32`);
    },
  );
});

function hasKeyOf32Bytes({ key }: Vector): boolean {
  return key.length === 2 * KEY_BYTES;
}

function bytesOf({ key, ctx, ct }: Vector): { key: Buffer; context: Buffer; ciphertext: Buffer } {
  return {
    key: Buffer.from(key, 'hex'),
    context: Buffer.from(ctx, 'hex'),
    ciphertext: inflateSync(Buffer.from(ct, 'hex')),
  };
}

/** Encrypts with the vector's salt. */
function newAead(vector: Vector): ChunkedEncryption {
  const { key, ciphertext } = bytesOf(vector);
  return new ChunkedEncryption(key, (target, start) => target.set(ciphertext.subarray(0, SALT_BYTES), start));
}
