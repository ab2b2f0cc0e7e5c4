/**
 * Makes `common-passwords.bin` of the passwords in @zxcvbn-ts/language-common (MIT), which are those of leaks.
 *
 *     npm exec -- node lists/make-common-passwords.ts
 */
import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dictionary } from '@zxcvbn-ts/language-common';
import { entryOf, listedForm, packEntries } from '../src/users/password-list-format.ts';

const entries = dictionary['passwords-common'].map((password) =>
  entryOf(hash('sha256', listedForm(password), 'buffer')),
);
await writeFile(new URL('common-passwords.bin', import.meta.url), packEntries(entries));
