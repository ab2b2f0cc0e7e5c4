import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../common/error-code.js';
import { ROOT_KEY_BYTES } from './root-key.js';
import {
  changeRootKeyFile,
  removeIfPresent,
  shredRootKeyFile,
  UNFINISHED,
  unfinishedNameOf,
} from './shred-root-key-file.js';
import { syncDirectory } from './sync-directory.js';

/**
 * Makes a new root key. An existing file is kept, also when another process makes it just now. A process that is
 * killed meanwhile leaves the bytes under a second name: `removeUnfinished` is called once the file is known to be
 * the right one.
 *
 * @returns false when the file existed
 * @throws {StartError} when it can't be made
 */
export function makeRootKeyFile(file: string): boolean {
  return changeRootKeyFile(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const unfinished = unfinishedNameOf(file);
    const descriptor = openSync(unfinished, 'wx', 0o600);
    try {
      const raw = randomBytes(ROOT_KEY_BYTES);
      writeSync(descriptor, raw);
      raw.fill(0);
      fsyncSync(descriptor);
      // A link fails where a rename would replace: the first root key of a deployment is its only one.
      linkSync(unfinished, file);
      return true;
    } catch (error) {
      // Gone: whoever made the file has taken this one for left behind.
      if (!['EEXIST', 'ENOENT'].includes(errorCode(error) ?? '') || !existsSync(file)) throw error;
      return false;
    } finally {
      closeSync(descriptor);
      removeIfPresent(unfinished);
      syncDirectory(dirname(file));
    }
  });
}

/**
 * Overwrites and removes what a killed process left of making or shredding a root key file. A file that is made just now may be
 * among it, so this is for when that can't become the file any more: because the file exists.
 */
export function removeUnfinished(file: string): void {
  for (const name of namesIn(dirname(file))) {
    if (UNFINISHED.test(name) && name.replace(UNFINISHED, '') === basename(file))
      shredRootKeyFile(join(dirname(file), name));
  }
}

/** Who may not list a directory has made nothing in it: that begins with bringing its names to the disk. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === 'EACCES') return [];
    throw error;
  }
}
