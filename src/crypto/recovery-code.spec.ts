import { describe, expect, it } from '@jest/globals';
import { digestRecoveryCode, newRecoveryCode } from './recovery-code.js';

describe('newRecoveryCode', () => {
  const codes = Array.from({ length: 2_000 }, () => newRecoveryCode());

  it('gives six groups of four characters that nobody mistakes', () => {
    for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){5}$/);
  });

  it('gives 120 random bits: no two alike, and every character of the alphabet alike often', () => {
    expect(new Set(codes).size).toBe(codes.length);
    const counts = new Map<string, number>();
    for (const character of codes.join('').replaceAll('-', '')) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    // 48 000 characters: 1 500 each, with a standard deviation of 38.
    for (const count of counts.values()) expect(Math.abs(count - 1_500)).toBeLessThan(300);
  });
});

describe('digestRecoveryCode', () => {
  const code = newRecoveryCode();

  it('takes a code as people type it', () => {
    const digest = digestRecoveryCode('owner', code);
    expect(digest).toHaveLength(32);
    for (const typed of [code.toUpperCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')}\n`]) {
      expect(digestRecoveryCode('owner', typed)).toEqual(digest);
    }
    expect(digestRecoveryCode('owner', 'OIL0-1')).toEqual(digestRecoveryCode('owner', '01101'));
  });

  it('is another for another code and another owner', () => {
    expect(digestRecoveryCode('owner', newRecoveryCode())).not.toEqual(digestRecoveryCode('owner', code));
    expect(digestRecoveryCode('other', code)).not.toEqual(digestRecoveryCode('owner', code));
  });
});
