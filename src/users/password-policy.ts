import { coreOf, countChosen, joined, lettersAndDigits, withoutRepeats } from './password-shape.js';

/** Code points of a password that is all a login asks for (SP 800-63B-4, section 3.1.1.2). */
export const MIN_LENGTH_ALONE = 15;
/** Bytes of UTF-8; longer passwords would only cost hashing time. */
const MAX_PASSWORD_BYTES = 1_024;
/** A part of an address or a name shorter than this says little about the password. */
const MIN_CONTEXT_WORD = 3;
/** What guessers write for letters; a one is read as both of its letters. */
const LETTERS_FOR: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
  '!': 'i',
};
/** All signs read as the letters that they look like. */
const LETTER_READINGS = ['i', 'l'].map(
  (letterForOne) => (text: string) =>
    text.replaceAll(/[@430$57!1]/g, (sign) => LETTERS_FOR[sign] ?? letterForOne),
);

/** One that counts, or a year; longer ones may be random. */
const SHORT_NUMBER = /(?<!\p{N})\p{N}{1,4}(?!\p{N})/gu;

/** So many different ones are tried in every way. */
const MAX_NUMBERS = 4;

/** What a password must have little to do with. */
export interface PasswordContext {
  readonly email: string;
  /** How the service is called. */
  readonly names: readonly string[];
}

/**
 * What is wrong with a password, or `undefined` (NIST SP 800-63B-4, section 3.1.1.2): long enough, not
 * too long, no composition rules, not made from the e-mail address or the service's name, no repeat or sequence.
 * Whether it is listed is another question, about its `guesses`.
 *
 * @param minLength - Unicode code points, counted after NFKC
 */
export function passwordFault(
  password: string,
  context: PasswordContext,
  minLength: number,
): string | undefined {
  // UTF-8 has no lone surrogates: all of them would become one character, and passwords alike.
  if (!password.isWellFormed()) return 'must be well-formed Unicode text';
  const normalized = password.normalize('NFKC');
  if (lengthOf(normalized) < minLength) return `must have at least ${minLength} characters`;
  if (Buffer.byteLength(normalized, 'utf8') > MAX_PASSWORD_BYTES) {
    return `must have at most ${MAX_PASSWORD_BYTES} bytes`;
  }
  const folded = fold(password);
  if (isMadeFrom(context, folded, minLength))
    return 'must not be made from the e-mail address or the name of this service';
  if (isRepeat(folded, minLength) || chosenIn(folded) < minLength / 3)
    return 'must not be a repeat or a sequence';
  return undefined;
}

/**
 * The passwords that this one is a disguise of, and itself: without the address and the names, with letters for the
 * digits and signs that look like them, in one word, said once, and all of these together. At most 200.
 */
export function guesses(password: string, context: PasswordContext): string[] {
  const folded = fold(password);
  const parts = [folded, withoutContext(folded, namesIn(context))];
  // Signs are read as letters before those between the words are taken away; those around them are no letters.
  const spelled = parts.flatMap((part) => [part, ...withLetters(part), ...withLetters(coreOf(part))]);
  const texts = spelled.concat(spelled.filter(isMostlyWords).map(joined));
  return Array.from(new Set(texts.concat(texts.map(withoutRepeats), parts.flatMap(numbered))));
}

/** Whether a password is long enough only together with a second factor. */
export function needsSecondFactor(password: string): boolean {
  return lengthOf(password.normalize('NFKC')) < MIN_LENGTH_ALONE;
}

/** Once what is repeated is written once, it is too short. */
function isRepeat(folded: string, minLength: number): boolean {
  const words = lettersAndDigits(folded);
  const isShortOnce = (text: string, signs: number) => {
    const once = withoutRepeats(text);
    return once !== text && lengthOf(once) + signs < minLength;
  };
  return (
    isShortOnce(folded, 0) || (isMostlyWords(folded) && isShortOnce(words, folded.length - words.length))
  );
}

/** Then the signs are what stands between the words, otherwise they are the password. */
function isMostlyWords(folded: string): boolean {
  return lettersAndDigits(folded).length * 2 > folded.length;
}

function chosenIn(text: string): number {
  return countChosen(withoutRepeats(text));
}

/** Once these names are taken away too little is left: from it as it is, read as letters, or without its signs. */
function isMadeFrom(context: PasswordContext, folded: string, minLength: number): boolean {
  const signs = new Set(folded.replaceAll(/[\p{L}\p{M}\p{N}]/gu, '')).size;
  return [(text: string) => text, ...LETTER_READINGS].some((read) => {
    const [text, names] = [read(folded), namesIn(context).map(read)];
    const isShortWithout = (from: string, signsBeside: number) => {
      const rest = withoutContext(from, names);
      return rest !== from && chosenIn(rest) + signsBeside < minLength / 2;
    };
    return (
      isShortWithout(text, 0) || (isMostlyWords(folded) && isShortWithout(lettersAndDigits(text), signs))
    );
  });
}

/** The address, the names and the parts of both, longest first. */
function namesIn({ email, names }: PasswordContext): string[] {
  const whole = [email, ...names].map(fold);
  const parts = whole.flatMap((name) => name.split(/[^\p{L}\p{M}\p{N}]+/u));
  return whole
    .concat(parts)
    .filter((word) => word.length >= MIN_CONTEXT_WORD)
    .toSorted((one, other) => other.length - one.length);
}

function withoutContext(text: string, names: readonly string[]): string {
  return names.reduce((left, name) => left.replaceAll(name, ''), text);
}

/**
 * What is repeated with another number each time: `password` for `P@55word1P@55word2`. Which numbers count and which are
 * letters is tried in every way.
 */
function numbered(text: string): string[] {
  const numbers = Array.from(new Set(text.match(SHORT_NUMBER)));
  const ways = numbers.length > MAX_NUMBERS ? [numbers] : subsetsOf(numbers);
  return ways.flatMap((counting) => {
    const rest = text.replaceAll(SHORT_NUMBER, (number) => (counting.includes(number) ? '' : number));
    const plain = lettersAndDigits(rest);
    const words = [plain, ...withLetters(plain), ...withLetters(rest).map(lettersAndDigits)];
    return words.map(withoutRepeats).filter((once, index) => once !== words[index]);
  });
}

function subsetsOf<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>(
    (subsets, item) => subsets.concat(subsets.map((some) => some.concat(item))),
    [[]],
  );
}

function withLetters(text: string): string[] {
  return /\p{L}/u.test(text) ? LETTER_READINGS.map((read) => read(text)) : [];
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
