import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { foldCase } from './fold-case.js';

/** Documented: sharp s, dotless i, what is or has an iota subscript, and historic Cyrillic letters. */
const isException = (letter: string) => /\u0345|[ßı\u1c80-\u1c88]/u.test(letter.normalize('NFD'));

function lettersOf(script: string): string[] {
  const pattern = new RegExp(`^\\p{Script=${script}}$`, 'u');
  return Array.from({ length: 0x110000 }, (_, codePoint) => codePoint)
    .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
    .map((codePoint) => String.fromCodePoint(codePoint))
    .filter((letter) => pattern.test(letter) && /\p{L}/u.test(letter) && !isException(letter));
}

describe('foldCase', () => {
  it.each([
    ['νικος.α@x.gr', 'ΝΙΚΟΣ.Α@x.gr'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς'],
    ['Νίκος', 'ΝΊΚΟΣ'],
    ['Ада', 'АДА'],
    ['Zoë', 'ZOE\u0308'],
    ['ﬁ', 'FI'],
  ])('makes one of %s and %s', (one, other) => {
    expect(foldCase(one)).toBe(foldCase(other));
  });

  it.each([
    ['ß', 'SS'],
    ['ı', 'I'],
    ['ᾳ', 'ΑΙ'],
  ])('keeps %s apart from what is its upper case, %s', (letter, upper) => {
    expect(letter.toUpperCase()).toBe(upper);
    expect(foldCase(letter)).not.toBe(foldCase(upper));
  });

  it.each(['Latin', 'Greek', 'Cyrillic', 'Armenian', 'Georgian', 'Cherokee', 'Coptic', 'Deseret', 'Adlam'])(
    'makes one of upper and lower case in words of %s letters, and folds no further',
    (script) => {
      const words = fc.array(fc.constantFrom(...lettersOf(script), '.', '@'), { maxLength: 8 });
      fc.assert(
        fc.property(words, (letters) => {
          const word = letters.join('');
          expect(foldCase(word.toUpperCase())).toBe(foldCase(word.toLowerCase()));
          expect(foldCase(foldCase(word))).toBe(foldCase(word));
        }),
        { numRuns: 1_000 },
      );
    },
  );
});
