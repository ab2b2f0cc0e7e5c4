import { describe, expect, it } from '@jest/globals';
import { findTotpStep, newTotpSeed, toBase32, totpCode, totpUri } from '../../src/crypto/totp.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';

const SEED = Buffer.from('12345678901234567890', 'ascii');

describe('totpCode', () => {
  // RFC 4226, appendix D.
  it('is HOTP', () => {
    const codes = Array.from({ length: 10 }, (_, counter) => totpCode(SEED, counter));
    expect(codes).toEqual([
      '755224',
      '287082',
      '359152',
      '969429',
      '338314',
      '254676',
      '287922',
      '162583',
      '399871',
      '520489',
    ]);
  });

  // RFC 6238, appendix B, the rows of SHA-1: eight digits there, of which six are the last ones.
  it.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('is TOTP at %i', (seconds, code) => {
    expect(totpCode(SEED, Math.floor(seconds / 30))).toBe(code.slice(-6));
    expect(findTotpStep(SEED, code.slice(-6), seconds * 1_000)).toBe(Math.floor(seconds / 30));
  });

  it('agrees with a second implementation', () => {
    for (let step = 0; step < 2_000; step++) {
      const seed = newTotpSeed();
      const app = new AuthenticatorApp(totpUri(seed, { issuer: 'a.example', account: 'ada@example.com' }));
      expect(totpCode(seed, step)).toBe(app.code(step * 30_000));
    }
  });
});

describe('findTotpStep', () => {
  const nowMs = 1_700_000_010_000;
  const present = Math.floor(nowMs / 30_000);

  it('takes the step before, the present one and the one after, and no other', () => {
    const found = [-2, -1, 0, 1, 2].map((steps) =>
      findTotpStep(SEED, totpCode(SEED, present + steps), nowMs),
    );
    expect(found).toEqual([undefined, present - 1, present, present + 1, undefined]);
  });

  it('takes no other text', () => {
    const code = totpCode(SEED, present);
    for (const text of [
      '',
      code.slice(1),
      `${code}0`,
      ` ${code}`,
      '\u0661\u0662\u0663',
      'abcdef',
      'é'.repeat(3),
    ]) {
      expect(findTotpStep(SEED, text, nowMs)).toBeUndefined();
    }
  });
});

describe('toBase32', () => {
  // RFC 4648, section 10, without the padding.
  it.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('of %j is %s', (text, base32) => {
    expect(toBase32(Buffer.from(text))).toBe(base32);
  });
});

describe('totpUri', () => {
  it('is what apps read, whatever the names hold', () => {
    const uri = totpUri(SEED, { issuer: 'a:b?.example', account: 'ada+x&y=1@exämple.com' });
    const app = new AuthenticatorApp(uri);
    expect(app).toMatchObject({ issuer: 'a:b?.example', account: 'ada+x&y=1@exämple.com' });
    expect(uri).toMatch(
      /\?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=[^&]+&algorithm=SHA1&digits=6&period=30$/,
    );
  });
});

describe('a new seed', () => {
  it('has 160 bits and is another each time', () => {
    const seeds = Array.from({ length: 1_000 }, () => newTotpSeed());
    expect(seeds[0]).toHaveLength(20);
    expect(new Set(seeds.map((seed) => seed.toString('hex'))).size).toBe(1_000);
  });
});
