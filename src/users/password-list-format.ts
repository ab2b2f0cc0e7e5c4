/*
 * A list of passwords that nobody may choose:
 *
 *    0   8  "PWLIST1\n" in ASCII
 *    8   6  first bytes of SHA-256 of a password, as `listedForm` writes it, in UTF-8
 *   14   6  the next one, and so on: in ascending order, each once
 *
 * It is searched where it lies, so a list of any size takes no memory. A password that isn't listed is taken for one
 * that is with a probability of 2^-48 for each entry.
 */
export const MAGIC = Buffer.from('PWLIST1\n', 'latin1');
export const ENTRY_BYTES = 6;
/** A word shorter than this says little about what stands around it. */
const MIN_CORE_LENGTH = 4;

/** Compared without case and decoration: `Password-2024!` is `password` to whoever guesses. */
export function listedForm(password: string): string {
  return coreOf(password.normalize('NFKC').toLowerCase());
}

/** What stands between the first and the last letter; all of a text where that is too little to be a word. */
export function coreOf(text: string): string {
  // In one linear pass: signs that are matched from each of them to the end would take the square of their number.
  const core = /\p{L}(.*\p{L})?/su.exec(text)?.[0] ?? '';
  return core.length < MIN_CORE_LENGTH ? text : core;
}

/** Without what stands between the words. */
export function lettersAndDigits(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '');
}

/** The first bytes of a digest, as a number: 48 bits fit. */
export function entryOf(digest: Uint8Array): number {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).readUIntBE(0, ENTRY_BYTES);
}

/** The file of these entries, in any order. */
export function packEntries(entries: readonly number[]): Buffer {
  const sorted = Float64Array.from(new Set(entries)).toSorted();
  const file = Buffer.alloc(MAGIC.length + sorted.length * ENTRY_BYTES);
  MAGIC.copy(file);
  for (const [index, entry] of sorted.entries()) {
    file.writeUIntBE(entry, MAGIC.length + index * ENTRY_BYTES, ENTRY_BYTES);
  }
  return file;
}
