/**
 * Makes `common-passwords.bin`.
 *
 *     npm exec -- node lists/make-common-passwords.ts
 */
import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { entryOf, packEntries } from '../src/users/password-list-format.ts';
import { listedForm } from '../src/users/password-shape.ts';
import { listedPasswords } from './listed-passwords.ts';

const passwords = await listedPasswords();
const entries = Float64Array.from(passwords, (password) =>
  entryOf(hash('sha256', listedForm(password), 'buffer')),
);
await writeFile(new URL('common-passwords.bin', import.meta.url), packEntries(entries));
