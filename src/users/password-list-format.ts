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

/** The file of these entries, in any order, each of which may come more than once. No `Set`: that ends at 2^24. */
export function packEntries(entries: Float64Array): Buffer {
  const file = Buffer.alloc(MAGIC.length + entries.length * ENTRY_BYTES);
  let end = MAGIC.copy(file);
  let last: number | undefined;
  for (const entry of entries.toSorted()) {
    if (entry !== last) end = file.writeUIntBE(entry, end, ENTRY_BYTES);
    last = entry;
  }
  return file.subarray(0, end);
}
