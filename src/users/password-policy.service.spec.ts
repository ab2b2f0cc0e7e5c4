import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { listedPasswords } from '../../lists/listed-passwords.js';
import { newPasswordPolicy } from '../../test/support/password-list.js';

const EMAIL = 'ada.lovelace@example.com';
const policy = newPasswordPolicy();

/** What the policy says of it; `undefined` is nothing. */
async function fault(password: string): Promise<string | undefined> {
  try {
    await policy.check(password, EMAIL, '/password');
    return undefined;
  } catch (error) {
    const [field] = (error as { errors: { detail: string }[] }).errors;
    return field?.detail;
  }
}

describe('PasswordPolicy', () => {
  it('refuses every password of the list that is long enough', async () => {
    const long = (await listedPasswords()).filter((password) => password.length >= 15);
    expect(long.length).toBeGreaterThan(300);
    for (const password of long) expect([password, await fault(password)]).not.toEqual([password, undefined]);
  });

  it.each([
    'correcthorsebatterystaple',
    'Correct Horse Battery Staple 1',
    'the quick brown fox jumps',
    'TheQuickBrownFox2026!',
    'iloveyouiloveyouiloveyou2026',
    '1234567890Password',
    'Passw0rd-2026!!!!!',
    '!!Password2024!!',
    '$up3rs3cr3tp4ssw0rd',
    '!QAZxsw2#EDCvfr4',
    'Th1s1sMyP@ssw0rd',
    'lovelace-password',
    'ada correct horse battery staple',
    'C0rrect h0rse b@ttery st@ple',
    'C0rrect h0rse b@ttery st@ple!!',
    'localhost correct horse battery staple 1',
    'correct-horse-ada-battery-staple',
    'ada-C0rrect-h0rse-b@ttery-st@ple',
    'Password1Password2',
    'iloveyou1iloveyou2',
    'Password2023-Password2024',
    'P@ssword1P@ssword2',
    'P@55word2023 P@55word2024',
    'Dr4gon1!Dr4gon2!Dr4gon3!',
    'Dragon-1988-12-05',
    '05.12.1988 dragon',
    'Password20242025',
    'Password12345678',
  ])('refuses %j, a listed one in disguise', async (password) => {
    expect(await fault(password)).toBeDefined();
  });

  it.each(['localhost-1234567', 'nestjs-secure-api', 'SecureStarter2026!'])(
    'refuses %j, made from the host or the name of the service',
    async (password) => {
      expect(await fault(password)).toBe(
        'must not be made from the e-mail address or the name of this service',
      );
    },
  );

  it('takes a common word between random digits, five or more', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const digits = BigInt(`0x${createHash('sha256').update(`${seed}`).digest('hex')}`).toString();
      const word = ['checkpoint', 'motherland', 'masterpiece', 'basketball'][seed % 4]!;
      const password = `${digits.slice(0, 3)}${word}${digits.slice(3, 5 + (seed % 4))}`;
      expect([password, await fault(password)]).toEqual([password, undefined]);
    }
  });

  it('takes a common word between random signs', async () => {
    expect(await fault('$(-password=%;')).toBe('must have at least 15 characters');
    expect(await fault('$(-password=%;?')).toBeUndefined();
    expect(await fault('!!!!basketball!!!')).toBeDefined();
  });

  // Made by random generators: words of a list of 7 776, characters of several alphabets.
  it.each([
    'maple otter drifts at noon',
    'cupcake-tarmac-unwound-sift',
    'GlazeRecliner7Zesty',
    'stature undusted chomp wafer',
    'overlabor finalist mutilated',
    'ravioli_rethink_purple_dwelled',
    'attic sixfold lapel grandkid',
    'tubelessvowpromenade',
    'пароль из четырёх слов',
    '密码由许多不同的汉字组成才安全',
    '🐴🔋📎🐶🌵🍕🚲🎺🧊🪁🦀🍋🎲🧵🗝',
    'kvrzqpwtmbhxjdc',
    'bjqmtwzrkypvhdn',
    'xgwtbnhqzjvkcdr',
    '580297416380592',
    '947261058313902',
    '206918573340716284',
    '3f9c07ab52e81d64',
    'b71e40d9c2685fa3',
    'q7mx2vkd9tzr4hwb',
    'Zr8pW3kQm5xTb2Nd',
    'hK4vT9wLq2XzR7mB',
    'vN#8q!Lz2@Wk5$Tm',
    "x'R7}k(2mZ~q9/Wd",
    '@)%!(&*#$^+=-_~',
    'u9-Gk2.xP7_vR4+t',
    'TRQX-7VKM-2HBZ-9WDN',
    'FLUX BORAX KIWI 41',
    'a b q v x m t w',
    'mein Kater schläft auf dem Dach',
  ])('takes the strong password %j', async (password) => {
    expect(await fault(password)).toBeUndefined();
  });
});
