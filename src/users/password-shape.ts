/** A word shorter than this says little about what stands around it. */
const MIN_CORE_LENGTH = 4;
/** More digits, or more signs, around a word may be random, unless they are years and dates or little but runs. */
const MAX_DIGITS = 4;
const MAX_SIGNS = 4;
const MAX_RUNS = 3;
/** Years, and days and months in any order before or after one. */
const DATES = /^(?:(?:19|20)\d\d)*(?:[0-3]\d[0-3]\d)?(?:(?:19|20)\d\d)?$/;
/** A run of neighbours shorter than this is in any text. */
const MIN_RUN = 3;
/** What fingers follow, and what is counted in circles. Letters of all scripts follow each other as well. */
const ROWS = [
  '01234567890',
  'abcdefghijklmnopqrstuvwxyza',
  '!@#$%^&*()_+',
  'qwertyuiop[]',
  'asdfghjkl;',
  'zxcvbnm,./',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  'йцукенгшщзхъ',
  'фывапролджэ',
  'ячсмитьбю',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'qawsedrftgyhujikolp',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1qazxsw23edcvfr45tgbnhy67ujm',
];

/** For each two neighbours of a row, forwards or backwards, the pairs of that row in that direction. */
const ROWS_OF = new Map<string, Set<string>[]>();
for (const row of ROWS.flatMap((row) => [row, Array.from(row).toReversed().join('')])) {
  const pairs = new Set(Array.from(row.slice(1), (to, index) => `${row[index]}${to}`));
  for (const pair of pairs) ROWS_OF.set(pair, [...(ROWS_OF.get(pair) ?? []), pairs]);
}

/** Compared without case and decoration: `Password-2024!` is `password` to whoever guesses. */
export function listedForm(password: string): string {
  return coreOf(password.normalize('NFKC').toLowerCase());
}

/**
 * What stands between the first and the last letter; all of a text where that is too little to be a word, or where so
 * much stands around it that it may be random.
 */
export function coreOf(text: string): string {
  // In one linear pass: signs that are matched from each of them to the end would take the square of their number.
  const match = /\p{L}(.*\p{L})?/su.exec(text);
  if (!match || match[0].length < MIN_CORE_LENGTH) return text;
  const [core] = match;
  return isDecoration(text.slice(0, match.index), text.slice(match.index + core.length)) ? core : text;
}

/** In one word, with what stands around it. */
export function joined(text: string): string {
  return text.replaceAll(/(?<=[\p{L}\p{M}\p{N}])[^\p{L}\p{M}\p{N}]+(?=[\p{L}\p{M}\p{N}])/gu, '');
}

/** Without what stands between the words and around them. */
export function lettersAndDigits(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '');
}

/** The text with what it repeats written once, apart from digits and signs around it: `haha!` is `ha!`. */
export function withoutRepeats(text: string): string {
  const unit = repeatedUnit(text);
  if (unit !== text) return unit;
  const core = coreOf(text);
  return text.replace(core, () => repeatedUnit(core));
}

/**
 * How many characters somebody chose, if those that follow from the ones before don't count: the same again, and all
 * but the first of a run in a row. Signs between the words count once each.
 */
export function countChosen(text: string): number {
  const words = lettersAndDigits(text);
  const signs = new Set(text.replaceAll(/[\p{L}\p{M}\p{N}]+/gu, ''));
  return Math.min(countRuns(text), countRuns(words) + signs.size);
}

function isDecoration(before: string, after: string): boolean {
  const [first, last] = [before, after].map((text) => text.replaceAll(/\P{N}/gu, ''));
  const digits = `${first}${last}`;
  const isShort = digits.length <= MAX_DIGITS || DATES.test(digits);
  if (!isShort && countChosen(first ?? '') + countChosen(last ?? '') > MAX_RUNS) return false;
  return countChosen((before + after).replaceAll(/\p{N}/gu, '')) <= MAX_SIGNS;
}

/** What follows itself to the end of the text, the last time maybe cut; the text itself if nothing does. */
function repeatedUnit(text: string): string {
  // For each prefix, how much of its start is its end as well (Knuth, Morris and Pratt): in linear time.
  const borders = [0];
  let border = 0;
  for (let index = 1; index < text.length; index++) {
    while (border > 0 && text[index] !== text[border]) border = borders[border - 1] ?? 0;
    if (text[index] === text[border]) border++;
    borders.push(border);
  }
  const period = text.length - border;
  return period * 2 <= text.length ? text.slice(0, period) : text;
}

function countRuns(text: string): number {
  const characters = Array.from(text.replaceAll(/(.)\1+/gsu, '$1'));
  let runs = 0;
  for (let at = 0; at < characters.length; runs++) {
    const length = runLength(characters, at);
    at += length < MIN_RUN ? 1 : length;
  }
  return runs;
}

/** How many characters from this one on follow each other in one row or alphabet, in one direction. */
function runLength(characters: readonly string[], start: number): number {
  const [first = '', second = ''] = characters.slice(start, start + 2);
  const step = distance(first, second);
  const lengths = (ROWS_OF.get(first + second) ?? []).map((pairs) =>
    lengthWhile(characters, start, (from, to) => pairs.has(from + to)),
  );
  if (Math.abs(step) === 1)
    lengths.push(lengthWhile(characters, start, (from, to) => distance(from, to) === step));
  return Math.max(1, ...lengths);
}

function lengthWhile(
  characters: readonly string[],
  start: number,
  follows: (from: string, to: string) => boolean,
): number {
  let end = start + 1;
  while (end < characters.length && follows(characters[end - 1] ?? '', characters[end] ?? '')) end++;
  return end - start;
}

function distance(from: string, to: string): number {
  return (to.codePointAt(0) ?? 0) - (from.codePointAt(0) ?? 0);
}
