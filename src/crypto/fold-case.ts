/**
 * One form of all spellings of a value that differ in case or in Unicode form: NFKC, lower case, every final sigma a
 * plain one (lower-casing makes `Σ` either, by its place in the word), and NFKC again, because lower-casing can leave
 * composable pairs.
 *
 * Upper case gives the same but for `ß`, `ı`, the Greek iota subscript and nine historic Cyrillic letters, which stay
 * apart from `ss`, `i`, `ι` and today's letters: folding them too would make two people's addresses one.
 */
export function foldCase(value: string): string {
  return value.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
}
