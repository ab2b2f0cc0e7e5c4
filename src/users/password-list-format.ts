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
