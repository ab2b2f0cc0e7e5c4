import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MacKey } from './mac-key.js';
import { deriveToken, digestToken, randomToken } from './opaque-token.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('randomToken', () => {
  it('gives prefix, 43 random characters and 6 of checksum', () => {
    expect(randomToken('rt')).toMatch(/^rt_[A-Za-z0-9_-]{49}$/);
  });

  it('gives another one each time', () => {
    expect(new Set(Array.from({ length: 1000 }, () => randomToken('rt'))).size).toBe(1000);
  });
});

describe('deriveToken', () => {
  const key = newKey(7);
  const first = randomToken('rt');

  it('gives a token of the same form, always the same', () => {
    const second = deriveToken(key, 'rt', first);
    expect(second).toMatch(/^rt_[A-Za-z0-9_-]{49}$/);
    expect(second).not.toBe(first);
    expect(deriveToken(key, 'rt', first)).toBe(second);
    expect(digestToken('rt', second)).toHaveLength(32);
  });

  it('is HMAC-SHA-256 over a label and the token before', () => {
    const hmac = createHmac('sha256', Buffer.alloc(32, 7)).update(`derived-token/v1\0${first}`).digest();
    expect(deriveToken(key, 'rt', first).slice(3, 46)).toBe(hmac.toString('base64url'));
  });

  it('gives another under another key and from another token', () => {
    const second = deriveToken(key, 'rt', first);
    const others = [
      deriveToken(newKey(8), 'rt', first),
      deriveToken(key, 'rt', randomToken('rt')),
      deriveToken(key, 'rt', second),
    ];
    expect(new Set([...others, second, first]).size).toBe(5);
  });
});

describe('digestToken', () => {
  const token = randomToken('rt');

  it('is SHA-256 of the whole token', () => {
    expect(digestToken('rt', token)).toEqual(createHash('sha256').update(token).digest());
  });

  it('knows the checksum of a fixed token', () => {
    // CRC-32 computed with Python's zlib.crc32 and base64.urlsafe_b64encode.
    expect(digestToken('rt', `rt_${'A'.repeat(43)}H8i9_w`)).toHaveLength(32);
  });

  it('knows none under another prefix', () => {
    expect(digestToken('api', token)).toBeUndefined();
    expect(digestToken('r', token)).toBeUndefined();
    expect(digestToken('rt_', token)).toBeUndefined();
    expect(digestToken('', token)).toBeUndefined();
  });

  it('knows no token with one character replaced', () => {
    for (let index = 0; index < token.length; index++) {
      for (const character of ALPHABET) {
        if (character === token[index]) continue;
        const other = token.slice(0, index) + character + token.slice(index + 1);
        if (digestToken('rt', other) !== undefined) throw new Error(`accepted ${other}`);
      }
    }
    expect(digestToken('rt', token)).toBeDefined();
  });

  it('knows no token cut at any length, extended or padded', () => {
    for (let length = 0; length < token.length; length++) {
      expect(digestToken('rt', token.slice(0, length))).toBeUndefined();
    }
    for (const other of [
      `${token}A`,
      ` ${token}`,
      `${token}\n`,
      `${token}=`,
      token.toUpperCase(),
      'x'.repeat(100_000),
    ]) {
      expect(digestToken('rt', other)).toBeUndefined();
    }
  });

  it('knows no token with characters outside the alphabet, valid checksum or not', () => {
    expect(digestToken('rt', `rt_${'\u00e9'.repeat(43)}AAAAAA`)).toBeUndefined();
    expect(digestToken('rt', `rt_${'+'.repeat(43)}AAAAAA`)).toBeUndefined();
  });
});

function newKey(fill: number): MacKey {
  return MacKey.import({ id: '0123456789abcdef', purpose: 'refresh-token' }, Buffer.alloc(32, fill));
}
