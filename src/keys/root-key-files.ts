import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { ROOT_KEY_BYTES } from './root-key.js';
import { syncDirectory } from './sync-directory.js';

/** Where the next root key waits to be promoted. */
export function nextFileOf(file: string): string {
  return `${file}.next`;
}

/**
 * The three names of a root key that is being changed: `file.next` → `file` → `file.previous`. After each
 * step every key that any step began with is still under one of them, `complete` apart.
 */
export class RootKeyFiles {
  readonly next: string;

  constructor(
    readonly current: string,
    readonly previous: string,
  ) {
    this.next = nextFileOf(current);
  }

  /** Makes the next root key beside the current one. */
  stage(): FileRootKeyProvider {
    this.#mustOwn();
    const isNew = attempt(this.next, () => FileRootKeyProvider.generate(this.next));
    if (!isNew) throw new StartError(`root key file ${this.next} exists already: promote or remove it`);
    return FileRootKeyProvider.load(this.next);
  }

  /** Gives the current root key its second name, before the next one takes its first. */
  keepCurrent(): void {
    this.#mustOwn();
    const kept = FileRootKeyProvider.loadIfPresent(this.previous);
    if (!kept) {
      attempt(this.previous, () => linkSync(this.current, this.previous));
      syncDirectory(dirname(this.previous));
    } else if (kept.id !== FileRootKeyProvider.load(this.current).id) {
      throw new StartError(
        `root key file ${this.previous} holds root key ${kept.id} of an earlier change: move it away once nothing needs it`,
      );
    }
  }

  /** Replaces the current root key by the next one; there is no moment without a current one. */
  replaceCurrent(): void {
    attempt(this.current, () => renameSync(this.next, this.current));
    syncDirectory(dirname(this.current));
  }

  #mustOwn(): void {
    const { uid } = statSync(this.current);
    if (process.getuid && process.getuid() !== uid)
      throw new StartError(`root key file ${this.current} belongs to user ${uid}: run this as that user`);
  }
}

/** Overwrites a root key file and removes it. How much overwriting destroys depends on the disk. */
export function shredRootKeyFile(file: string): void {
  const status = lstatSync(file);
  attempt(file, () => {
    // Bytes that have another name, or are only pointed to, may be somebody's backup.
    if (status.isFile() && status.nlink === 1) overwrite(file);
    unlinkSync(file);
  });
  syncDirectory(dirname(file));
}

function overwrite(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    writeSync(descriptor, Buffer.alloc(ROOT_KEY_BYTES), 0, ROOT_KEY_BYTES, 0);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function attempt<T>(file: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || error instanceof StartError) throw error;
    throw new StartError(`root key file ${file} cannot be changed (${code})`, { cause: error });
  }
}
