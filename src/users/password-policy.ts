import { coreOf, countChosen, lettersAndDigits, withoutRepeats } from './password-shape.js';

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

/** One that counts, or a year; longer ones may be random. */
const SHORT_NUMBER = /(?<!\p{N})\p{N}{1,4}(?!\p{N})/gu;

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
  const rest = withoutContext(folded, context);
  if (rest !== folded && chosenIn(rest) < minLength / 2)
    return 'must not be made from the e-mail address or the name of this service';
  if (isRepeat(folded, minLength) || chosenIn(folded) < minLength / 3)
    return 'must not be a repeat or a sequence';
  return undefined;
}

/**
 * The passwords that this one is a disguise of, and itself: without the address and the names, with letters for the
 * digits and signs that look like them, in one word, said once, and all of these together. At most 42.
 */
export function guesses(password: string, context: PasswordContext): string[] {
  const folded = fold(password);
  const parts = [folded, withoutContext(folded, context)];
  // Signs are read as letters before those between the words are taken away; those around them are no letters.
  const spelled = parts.flatMap((part) => [part, ...withLetters(part), ...withLetters(coreOf(part))]);
  const texts = spelled.concat(spelled.filter(isMostlyWords).map(lettersAndDigits));
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

/** What is left once the address, the names and the parts of both are taken away. */
function withoutContext(folded: string, { email, names }: PasswordContext): string {
  const whole = [email, ...names].map(fold);
  const parts = whole.flatMap((name) => name.split(/[^\p{L}\p{M}\p{N}]+/u));
  return whole
    .concat(parts)
    .filter((word) => word.length >= MIN_CONTEXT_WORD)
    .toSorted((one, other) => other.length - one.length)
    .reduce((left, word) => left.replaceAll(word, ''), folded);
}

/** What is repeated with another number each time: `password` for `Password1Password2`. */
function numbered(text: string): string[] {
  const words = lettersAndDigits(text.replaceAll(SHORT_NUMBER, ''));
  const once = withoutRepeats(words);
  return once === words ? [] : [once];
}

function withLetters(text: string): string[] {
  if (!/\p{L}/u.test(text)) return [];
  const written = text.replaceAll(/[@430$57!]/g, (sign) => LETTERS_FOR[sign] ?? sign);
  return ['i', 'l'].map((letter) => written.replaceAll('1', letter));
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
