import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listedPasswords } from '../../lists/listed-passwords.js';
import { newPasswordList as newList } from '../../test/support/password-list.js';
import { StartError } from '../common/start-error.js';
import { type PasswordList } from './password-list.js';
import { entryOf, packEntries } from './password-list-format.js';
import { listedForm } from './password-shape.js';

const entry = (password: string) => entryOf(createHash('sha256').update(listedForm(password)).digest());
const listed = await listedPasswords();

describe('the list of passwords', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'password-list-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('that ships is what its script makes of the leaked ones and the phrases it names', async () => {
    expect(listed.length).toBeGreaterThan(40_000);
    const made = packEntries(Float64Array.from(listed, entry));
    expect((await readFile('lists/common-passwords.bin')).equals(made)).toBe(true);
    expect(made.length).toBeLessThan(300_000);
  });

  it('holds every thousandth of them, whatever its case and what stands around it', async () => {
    const list = newList();
    for (let index = 0; index < listed.length; index += 1_000) {
      const password = listed[index]!;
      expect([password, await list.includesAny([password])]).toEqual([password, true]);
      if (!/^\p{L}.*\p{L}$/u.test(password)) continue;
      for (const decorated of [password.toUpperCase(), `${password}2024!`, `123${password}...`]) {
        expect([decorated, await list.includesAny([decorated])]).toEqual([decorated, true]);
      }
    }
  });

  it.each(['correct horse battery staple', 'пароль из четырёх слов', '7$k29&1!84#0(5)3+9', '', '\u0000'])(
    'does not hold %j',
    async (password) => {
      expect(await newList().includesAny([password])).toBe(false);
    },
  );

  it('is added to by the file that the configuration names', async () => {
    const file = join(directory, 'larger.bin');
    await writeFile(file, packEntries(Float64Array.from(['our company name', 'x', 'ａ　Ｌｉｓｔ'], entry)));
    const list = newList({ PASSWORD_LIST_FILE: file });
    expect(await list.includesAny(['Our Company Name 2031'])).toBe(true);
    expect(await list.includesAny(['a list'])).toBe(true);
    expect(await list.includesAny(['password'])).toBe(true);
    expect(await list.includesAny(['our other name'])).toBe(false);
  });

  it('that is a pipe, which nobody may ever write, refuses a start', async () => {
    const file = join(directory, 'pipe.bin');
    execFileSync('/usr/bin/mkfifo', [file]);
    await expect(newList({ PASSWORD_LIST_FILE: file }).check()).rejects.toThrow(
      /^PASSWORD_LIST_FILE names .*pipe\.bin, .*npm run cli -- passwords pack.*$/,
    );
  });

  describe.each<[string, Buffer | undefined]>([
    ['is absent', undefined],
    ['is empty', Buffer.alloc(0)],
    ['is a text', Buffer.from('password\n123456\n')],
    ['was cut', packEntries(Float64Array.of(1, 2, 3)).subarray(0, -1)],
  ])('when that file %s', (_claim, content) => {
    let list: PasswordList;
    let file: string;
    beforeEach(async () => {
      file = join(directory, 'bad.bin');
      if (content) await writeFile(file, content);
      list = newList({ PASSWORD_LIST_FILE: file });
    });

    it('refuses a start in one line that names the variable and what to do', async () => {
      const error: unknown = await list.check().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StartError);
      expect((error as Error).message).toMatch(
        /^PASSWORD_LIST_FILE names .*bad\.bin, .*npm run cli -- passwords pack.*$/,
      );
    });

    it('lets no password pass until it is mended', async () => {
      const password = 'maple otter drifts at noon';
      await expect(list.includesAny([password])).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
      await writeFile(file, packEntries(new Float64Array()));
      expect(await list.includesAny([password])).toBe(false);
      await list.check();
    });
  });
});
