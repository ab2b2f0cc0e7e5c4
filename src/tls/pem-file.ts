import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { errorCode } from '../common/error-code.js';

/** The text of a file, or undefined where there is none. Any other failure (EACCES, EISDIR) is thrown. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Publishes a complete file under its final name: written aside with its final mode, so a private
 * key is never wider for a moment and no reader or crash ever sees half of one.
 *
 * `create` never replaces: of several processes starting at once the first wins and the others' file is
 * dropped, so read the result back. `replace` is for contents already found unusable.
 */
export async function publish(
  file: string,
  contents: string,
  { mode, on }: { mode: number; on: 'create' | 'replace' },
): Promise<void> {
  const aside = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(aside, 'wx', mode);
    try {
      await handle.writeFile(contents);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (on === 'create' && (await linked(aside, file))) return;
    await rename(aside, file);
  } finally {
    await rm(aside, { force: true });
  }
}

/** link(2) is the one call that names a complete file and fails where the name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    // Without hard links (exFAT, some shared folders) the last writer wins instead of the first.
    return errorCode(error) === 'EEXIST';
  }
}
