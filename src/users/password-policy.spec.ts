import { describe, expect, it } from '@jest/globals';
import { passwordFault } from './password-policy.js';

const EMAIL = 'ada.lovelace@example.com';
const fault = (password: string) => passwordFault(password, EMAIL, 15);

describe('passwordFault', () => {
  it.each([
    'correct horse battery staple',
    '               x y z',
    'пароль из четырёх слов',
    '密码由许多不同的汉字组成才安全',
    'no digits, no upper case',
    'ada lovelace wrote the first program of all',
    'x'.repeat(3) + 'y'.repeat(1_000) + 'z',
  ])('takes %j: no rule says which characters', (password) => {
    expect(fault(password)).toBeUndefined();
  });

  it('counts code points after NFKC', () => {
    expect(fault('🐴🔋📎🐶🌵🍕🚲🎺🧊🪁🦀🍋🎲🧵')).toBe('must have at least 15 characters');
    expect(fault('🐴🔋📎🐶🌵🍕🚲🎺🧊🪁🦀🍋🎲🧵🗝')).toBeUndefined();
    expect(fault('ﬃﬃ ab ﬃﬃ x')).toBeUndefined();
    expect(fault('e\u0301'.repeat(7) + 'abcdefg')).toBe('must have at least 15 characters');
  });

  it('refuses a lone surrogate, which UTF-8 cannot tell from another one', () => {
    expect(fault('correct horse battery \ud800')).toBe('must be well-formed Unicode text');
  });

  it('counts bytes of UTF-8 for the upper limit', () => {
    const twoBytes = 'äöüß'.repeat(128);
    expect(fault(`xyz${twoBytes}`.slice(0, 510))).toBeUndefined();
    expect(fault(`xyz${twoBytes}`)).toBe('must have at most 1024 bytes');
  });

  it.each([
    'aaaaaaaaaaaaaaa',
    'abababababababab',
    'abcabcabcabcabcab',
    'abcdabcdabcdabcd',
    '🐴'.repeat(15),
    'abcdefghijklmnop',
    'ponmlkjihgfedcba',
  ])('refuses the repeat or sequence %j', (password) => {
    expect(fault(password)).toBe('must not be a repeat or a sequence');
  });

  it.each([
    'ada.lovelace@example.com',
    'ADA.LOVELACE@EXAMPLE.COM',
    'lovelacelovelace',
    'lovelace1example',
    'example-lovelace!',
    'ｌｏｖｅｌａｃｅexample',
  ])('refuses %j, which is made from the e-mail address', (password) => {
    expect(fault(password)).toBe('must not be made from the e-mail address');
  });

  it('does not mind short parts of the address', () => {
    expect(passwordFault('ada is a short name', 'ada@a.bc', 15)).toBeUndefined();
  });

  it('is quick about the longest password', () => {
    expect(fault(`${'ab'.repeat(511)}!`)).toBeDefined();
    expect(passwordFault(`${'a'.repeat(1_000)}b`, `${'a'.repeat(60)}@example.com`, 15)).toBeDefined();
  });
});
