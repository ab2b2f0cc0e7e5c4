import { describe, expect, it } from '@jest/globals';
import { digestText, repeatedDigest } from './repeated-digest.js';

describe('repeatedDigest', () => {
  it.each([
    ['the same again', ['token', 'token', 'token']],
    ['another of the same length', ['token', 'tokem', 'token']],
    ['a longer and a shorter one', ['token', 'token!', 'toke', 'token']],
    ['an empty one', ['', '', 'token', '']],
    ['the longest that is kept', ['€'.repeat(2_048), '€'.repeat(2_048), 'token', `${'€'.repeat(2_047)}!`]],
    ['one that is too long to be kept', ['€'.repeat(2_049), '€'.repeat(2_049), 'token']],
    ['one with bytes that are no ASCII', ['tökén', 'tökén', 'to\u0308ke\u0301n', 'token']],
  ])('gives the digest of each text: %s', (_claim, texts) => {
    const source = {};
    expect(texts.map((text) => repeatedDigest(source, text))).toEqual(texts.map(digestText));
  });

  it('keeps sources apart', () => {
    const [one, other] = [{}, {}];
    repeatedDigest(one, 'first');
    expect(repeatedDigest(other, 'other')).toBe(digestText('other'));
    expect(repeatedDigest(one, 'first')).toBe(digestText('first'));
  });

  it('is SHA-256 (FIPS 180-4, "abc")', () => {
    expect(Buffer.from(repeatedDigest({}, 'abc'), 'base64url').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});
