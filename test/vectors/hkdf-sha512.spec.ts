import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { HkdfExpand } from '../../src/crypto/hkdf-expand.js';
import { readWycheproof } from './wycheproof-file.js';

/** A case of C2SP/wycheproof, `hkdf_sha512_test.json`. */
interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: 'valid' | 'invalid';
}

interface Group {
  readonly tests: readonly Vector[];
}

// Cases 1 and 23 of that file at commit dac1dd4.
const knownAnswers: readonly Vector[] = [
  {
    tcId: 1,
    comment: '',
    ikm: '24aeff2645e3e0f5494a9a102778c43a',
    salt: '',
    info: '',
    size: 20,
    okm: 'dd2599840b09699c6200b5cba79002b3aa75c61b',
    result: 'valid',
  },
  {
    tcId: 23,
    comment: 'empty salt',
    ikm: 'd04f44faa4542b34f958d8a863801f2c',
    salt: '',
    info: 'ff6b5b655cbf2421a66d2f28408395a2ce57264f76bd60befd51cbfd9474faa47a97a9aa0f0e4338635633023cb36da12a3051f1f369355b687304e74c5218b315',
    size: 80,
    okm: '76ebb3133cbf07afb653393bea4e4ecdab9d8e8fcc5e79e67d5346312ce9e46e937b3393170b811e25f7621923f74e519b604ae2b9884fe2d7202782ee9e20100f95341d8b6ff1f39db23bab7b7edcd6',
    result: 'valid',
  },
];

const { isPresent, groups } = readWycheproof<Group>('hkdf_sha512_test.json');
const vectors = isPresent ? groups.flatMap(({ tests }) => tests) : knownAnswers;
const NONE = Buffer.alloc(0);

describe('HKDF-Expand with SHA-512', () => {
  const source = isPresent
    ? 'all 83 cases of C2SP/wycheproof'
    : 'two cases only, as ../shared/vectors is absent';
  it(`reads ${source}`, () => {
    expect(vectors).toHaveLength(isPresent ? 83 : knownAnswers.length);
  });

  it.each(vectors.filter(({ result }) => result === 'valid'))('gives case $tcId: $comment', (vector) => {
    const output = afterExtract(vector).expand(NONE, NONE, Buffer.from(vector.info, 'hex'), vector.size);
    expect(output.toString('hex')).toBe(vector.okm);
  });

  it('refuses every case that asks for too much', () => {
    for (const vector of vectors.filter(({ result }) => result === 'invalid')) {
      expect(() => afterExtract(vector).expand(NONE, NONE, NONE, vector.size)).toThrow(RangeError);
    }
  });
});

/** HKDF-Extract (RFC 5869, 2.2), which only the vectors need. */
function afterExtract({ ikm, salt }: Vector): HkdfExpand {
  return new HkdfExpand(createHmac('sha512', Buffer.from(salt, 'hex')).update(ikm, 'hex').digest());
}
