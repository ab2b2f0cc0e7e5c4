import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ChunkCipher } from '../../src/crypto/chunk-cipher.js';
import { DecryptionError } from '../../src/crypto/errors.js';
import { readWycheproof } from './wycheproof-file.js';

/** A case of C2SP/wycheproof, `aes_gcm_test.json`. */
interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: 'valid' | 'invalid';
}

interface Group {
  readonly tests: readonly Vector[];
}

// Cases 94, 96 and 130 of that file at commit dac1dd4.
const knownAnswers: readonly Vector[] = [
  {
    tcId: 94,
    comment: '',
    key: 'cc56b680552eb75008f5484b4cb803fa5063ebd6eab91f6ab6aef4916a766273',
    iv: '99e23ec48985bccdeeab60f1',
    aad: '',
    msg: '2a',
    ct: '06',
    tag: '633c1e9703ef744ffffb40edf9d14355',
    result: 'valid',
  },
  {
    tcId: 96,
    comment: '',
    key: '67119627bd988eda906219e08c0d0d779a07d208ce8a4fe0709af755eeec6dcb',
    iv: '68ab7fdbf61901dad461d23c',
    aad: '',
    msg: '51f8c1f731ea14acdb210a6d973e07',
    ct: '43fc101bff4b32bfadd3daf57a590e',
    tag: 'ec04aacb7148a8b8be44cb7eaf4efa69',
    result: 'valid',
  },
  {
    tcId: 130,
    comment: 'Flipped bit 0 in tag',
    key: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    iv: '505152535455565758595a5b',
    aad: '',
    msg: '202122232425262728292a2b2c2d2e2f',
    ct: 'b2061457c0759fc1749f174ee1ccadfa',
    tag: '9de8fef6d8ab1bf1bf887232eab590dd',
    result: 'invalid',
  },
];

const { isPresent, groups } = readWycheproof<Group>('aes_gcm_test.json');
const all = groups.flatMap(({ tests }) => tests);
/*
 * The one shape that both suites use. Keys of other lengths are refused when they are imported, and no format here has
 * room for another nonce or tag, so that the other cases have nothing to be tried on.
 */
const ofOtherKeys = all.filter(({ key }) => bits(key) !== 256);
const ofOtherNonces = all.filter(({ key, iv }) => bits(key) === 256 && bits(iv) !== 96);
const ofOurShape = all.filter(
  ({ key, iv, tag }) => bits(key) === 256 && bits(iv) === 96 && bits(tag) === 128,
);
const vectors = isPresent ? ofOurShape : knownAnswers;
const kinds = ['forOneChunk', 'forManyChunks'] as const;

describe('AES-256-GCM with nonces of 96 bits', () => {
  const source = isPresent
    ? '66 cases of C2SP/wycheproof: all but 211 of other key and 39 of other nonce lengths'
    : 'three cases only, as ../shared/vectors is absent';
  it(`reads ${source}`, () => {
    const counts = [all, ofOtherKeys, ofOtherNonces, ofOurShape].map(({ length }) => length);
    expect(counts).toEqual(isPresent ? [316, 211, 39, 66] : [0, 0, 0, 0]);
    const invalid = vectors.filter(({ result }) => result === 'invalid');
    expect([vectors.length, invalid.length]).toEqual(isPresent ? [66, 27] : [3, 1]);
  });

  // A chunk has no associated data; the other cases are the runtime's alone.
  const ofChunks = vectors.filter(({ aad }) => aad === '');
  const valid = ofChunks.filter(({ result }) => result === 'valid');

  it.each(valid)('decrypts case $tcId as a chunk: $comment', (vector) => {
    for (const kind of kinds) {
      const plaintext = newCipher(vector, kind).decrypt(0, Buffer.from(vector.ct + vector.tag, 'hex'));
      expect(plaintext.toString('hex')).toBe(vector.msg);
    }
  });

  it.each(ofChunks.filter(({ result }) => result === 'invalid'))('refuses case $tcId: $comment', (vector) => {
    const encrypted = Buffer.from(vector.ct + vector.tag, 'hex');
    for (const kind of kinds) {
      expect(() => newCipher(vector, kind).decrypt(0, encrypted)).toThrow(DecryptionError);
    }
  });

  it.each(valid)('encrypts case $tcId', (vector) => {
    for (const kind of kinds) {
      const output = Buffer.alloc((vector.ct.length + vector.tag.length) / 2);
      newCipher(vector, kind).encrypt(0, Buffer.from(vector.msg, 'hex'), output, 0);
      expect(output.toString('hex')).toBe(vector.ct + vector.tag);
    }
  });

  it('decrypts the valid cases and no other with their associated data', () => {
    const answers = vectors.map((vector) => [vector.tcId, decrypts(vector)]);
    expect(answers).toEqual(vectors.map(({ tcId, result }) => [tcId, result === 'valid']));
  });
});

function bits(hex: string): number {
  return hex.length * 4;
}

function newCipher({ key, iv }: Vector, kind: (typeof kinds)[number]): ChunkCipher {
  const keys = {
    key: Buffer.from(key, 'hex'),
    baseNonce: Buffer.from(iv, 'hex'),
    commitment: Buffer.alloc(0),
  };
  return ChunkCipher[kind](keys);
}

function decrypts({ key, iv, aad, ct, tag, msg }: Vector): boolean {
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'hex'), Buffer.from(iv, 'hex'), {
    authTagLength: 16,
  });
  decipher.setAAD(Buffer.from(aad, 'hex')).setAuthTag(Buffer.from(tag, 'hex'));
  try {
    return Buffer.concat([decipher.update(ct, 'hex'), decipher.final()]).toString('hex') === msg;
  } catch {
    return false;
  }
}
