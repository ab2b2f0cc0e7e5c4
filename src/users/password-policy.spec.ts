import { describe, expect, it } from '@jest/globals';
import { guesses, passwordFault } from './password-policy.js';

const CONTEXT = { email: 'ada.lovelace@example.com', names: ['api.acme.example', 'Ledger'] };
const fault = (password: string, email = CONTEXT.email) => passwordFault(password, { ...CONTEXT, email }, 15);

describe('passwordFault', () => {
  it.each([
    'maple otter drifts at noon',
    '      a  b  v  x  m   ',
    'пароль из четырёх слов',
    '密码由许多不同的汉字组成才安全',
    'no digits, no upper case',
    'ada lovelace wrote the first program of all',
    'kxqv' + 'y'.repeat(1_000) + 'zh',
    '902847153306618',
    'vkqjzhwbxmtrplc',
    '$(-=!%)+*^&#_@~',
    'abc xyz 123 qwe 789',
    'haha what a lovely day',
    'ha ha, that is what she said, ha ha',
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
    'abcdabcdabcdabcd',
    '🐴'.repeat(15),
    'qwertyqwertyqwerty',
    'iloveyouiloveyou',
    'PasswordpasswordPASSWORD',
    'Password!Password!',
    'P@ssw0rd P@ssw0rd',
    'adminadminadmin',
    'trustno1-trustno1_trustno1',
    'zebracowzebracow2024!',
  ])('refuses the repeat %j, however long what it repeats is', (password) => {
    expect(fault(password)).toBe('must not be a repeat or a sequence');
  });

  it('takes a repeat of what is long enough by itself', () => {
    expect(fault('maple otter drifts maple otter drifts')).toBeUndefined();
  });

  it.each([
    'abcdefghijklmnop',
    'ponmlkjihgfedcba',
    'абвгдежзийклмно',
    'wxyzabcdefghijkl',
    '123456789012345',
    '1234567890123456',
    '123456789123456789',
    '0123456789012345',
    '9876543210987654',
    '11112222333344445',
    '112233445566778899',
    '1-2-3-4-5-6-7-8-9',
    '1q2w3e4r5t6y7u8i',
    'qwertyuiopasdfgh',
    'lkjhgfdsapoiuytrewq',
    'qazwsxedcrfvtgbyhn',
    '1qazxsw23edcvfr4',
    '!@#$%^&*()_+!@#',
    'azertyuiopqsdfgh',
    'йцукенгшщзхъфывапролджэ',
    'ЯчсмитьбюЯчсмитьбю',
    '               x y z',
  ])('refuses the sequence %j', (password) => {
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
    expect(fault(password)).toBe('must not be made from the e-mail address or the name of this service');
  });

  it.each([
    ['ada@ab.cd', 'adaadaadaadaabcd'],
    ['bob@io.com', 'bob.com.bob.com1'],
    ['lovelace@acmecorp.com', 'acmecorp-2026!!!'],
    ['lovelace@acmecorp.com', 'lovelace12345678901234567890'],
    ['zoe\u0308berg@example.com', 'zoëbergzoëbergex'],
    ['ada.lovelace@example.com', '4da.l0vel4ce@ex4mple.com'],
    ['ada.lovelace@example.com', '@da.L0vel@ce!2026'],
    ['ada.lovelace@example.com', 'a.d.a.l.o.v.e.l.a.c.e'],
    ['ada.lovelace@example.com', '4d4_l0v_3l4_c3_2026'],
    ['l33t.h4x0r@example.com', 'leet-haxor-leet'],
    ['will@mill.example', 'w1ll.m1ll.w1ll.m111'],
    ['zoëberg@example.com', 'zoe\u0308bergzoe\u0308bergex'],
  ])('refuses what %j makes of its parts and little else: %j', (email, password) => {
    expect(fault(password, email)).toBe(
      'must not be made from the e-mail address or the name of this service',
    );
  });

  it.each(['acme-ledger-2026!', 'api.acme.example', 'LedgerLedger1234567', 'acme1234567890123'])(
    'refuses %j, which is made from the name of the service',
    (password) => {
      expect(fault(password)).toBe('must not be made from the e-mail address or the name of this service');
    },
  );

  it('does not mind parts of the address in a password that has enough beside them', () => {
    expect(fault('ada is a short name', 'ada@a.bc')).toBeUndefined();
    expect(fault('lovelace vkqjzhwb')).toBeUndefined();
    expect(fault('lovelace 58029741')).toBeUndefined();
    expect(fault('lovelace $(-=!%;?')).toBeUndefined();
    expect(fault('l0vel4ce maple otter')).toBeUndefined();
  });

  it('makes few guesses of any password', () => {
    for (const password of [
      'ada-C0rrect-h0rse-b@ttery-st@ple1!',
      '1ada1ada1',
      '!ada@1!'.repeat(100),
      '1a2!3b4ada'.repeat(100),
      '1a2b3c4d5e'.repeat(100),
    ]) {
      expect(guesses(password, CONTEXT).length).toBeLessThanOrEqual(200);
    }
  });

  it('is quick about the longest password', () => {
    const startedAtMs = performance.now();
    const email = `${'a.b'.repeat(60)}@example.com`;
    for (const password of [
      `a${'1'.repeat(1_022)}b`,
      `${'ab'.repeat(511)}!`,
      '1q2w3e4r5t6y7u8i9o0p'.repeat(51),
      '!'.repeat(1_023),
      '密码'.repeat(170),
      'a1'.repeat(511),
      '@ '.repeat(511),
      '1a22b3c4d!'.repeat(102),
    ]) {
      passwordFault(password, { ...CONTEXT, email }, 15);
      guesses(password, { ...CONTEXT, email });
    }
    // A millisecond each; what takes the square of the length takes a second.
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });
});
