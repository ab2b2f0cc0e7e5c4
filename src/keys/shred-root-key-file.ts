import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { ROOT_KEY_BYTES } from './root-key.js';
import { syncDirectory } from './sync-directory.js';

/** What follows the name of a file that is being made or removed. A backup is hardly ever called so. */
export const UNFINISHED = /\.[0-9a-f]{12}\.unfinished$/;

/** A name for a file that is not whole: who finds it later removes it. */
export function unfinishedNameOf(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.unfinished`;
}

/**
 * Overwrites a root key file and removes it. How much overwriting destroys depends on the disk. It loses its name first:
 * half overwritten, it would be taken for a root key.
 *
 * @returns false when it was only removed: bytes that have another name, or are only pointed to, may be somebody's backup
 */
export function shredRootKeyFile(file: string): boolean {
  return changeRootKeyFile(file, () => {
    const status = lstatSync(file, { throwIfNoEntry: false });
    const isOwn = status?.isFile() === true && status.nlink === 1;
    const name = isOwn && !UNFINISHED.test(file) ? renamed(file) : file;
    const isOverwritten = isOwn && overwrite(name);
    removeIfPresent(name);
    syncDirectory(dirname(name));
    return isOverwritten;
  });
}

export function removeIfPresent(file: string): void {
  rmSync(file, { force: true });
}

/** @throws {StartError} naming the file, for whatever the system refuses */
export function changeRootKeyFile<T>(file: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new StartError(`root key file ${file} cannot be changed (${code})`, { cause: error });
  }
}

function renamed(file: string): string {
  const name = unfinishedNameOf(file);
  renameSync(file, name);
  syncDirectory(dirname(file));
  return name;
}

/** @returns false when whoever made the file has removed it meanwhile */
function overwrite(file: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r+');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    writeSync(descriptor, Buffer.alloc(ROOT_KEY_BYTES), 0, ROOT_KEY_BYTES, 0);
    fsyncSync(descriptor);
    return true;
  } finally {
    closeSync(descriptor);
  }
}
