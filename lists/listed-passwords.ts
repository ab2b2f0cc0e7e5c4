import { readFile } from 'node:fs/promises';
import { dictionary } from '@zxcvbn-ts/language-common';

/** The beginning of a phrase that is shorter than this is anybody's. */
const MIN_BEGINNING_LENGTH = 12;

/**
 * What `common-passwords.bin` holds: the passwords in @zxcvbn-ts/language-common (MIT), which are those of leaks and
 * mostly shorter than a password may be, and the phrases of our own `well-known-phrases.txt`.
 */
export async function listedPasswords(): Promise<string[]> {
  const phrases = await readFile(new URL('well-known-phrases.txt', import.meta.url), 'utf8');
  return [...dictionary['passwords-common'], ...phrases.trimEnd().split('\n').flatMap(beginningsOf)];
}

/** A phrase in one word, and what it begins with up to the end of any word: few people type all of a long one. */
function beginningsOf(phrase: string): string[] {
  const words = phrase.split(' ');
  const all = words.join('');
  return words
    .map((_word, index) => words.slice(0, index + 1).join(''))
    .filter((beginning) => beginning.length >= MIN_BEGINNING_LENGTH || beginning === all);
}
