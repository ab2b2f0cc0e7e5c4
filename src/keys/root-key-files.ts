import { linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../common/start-error.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { makeRootKeyFile, removeUnfinished } from './make-root-key-file.js';
import { changeRootKeyFile } from './shred-root-key-file.js';
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
    if (!makeRootKeyFile(this.next))
      throw new StartError(`root key file ${this.next} exists already: promote or remove it`);
    removeUnfinished(this.next);
    return FileRootKeyProvider.load(this.next);
  }

  /** Gives the current root key its second name, before the next one, which has this id, takes its first. */
  keepCurrent(nextId: string): void {
    this.#mustOwn();
    // Another process was faster, and has kept the one before.
    if (FileRootKeyProvider.load(this.current).id === nextId) return;
    const kept = FileRootKeyProvider.loadIfPresent(this.previous);
    if (!kept) {
      changeRootKeyFile(this.previous, () => linkSync(this.current, this.previous));
      syncDirectory(dirname(this.previous));
    } else if (kept.id !== FileRootKeyProvider.load(this.current).id) {
      throw new StartError(
        `root key file ${this.previous} holds root key ${kept.id} of an earlier change: move it away once nothing needs it`,
      );
    }
  }

  /**
   * Replaces the current root key by the next one, which has to be this one; there is no moment without a current one.
   * Another process may have done it, and have staged the one after it.
   */
  replaceCurrent(id: string): void {
    if (FileRootKeyProvider.loadIfPresent(this.next)?.id !== id) {
      if (FileRootKeyProvider.load(this.current).id === id) return;
      throw new StartError(
        `root key file ${this.next} holds root key ${id} no more: restore it from its backup`,
      );
    }
    changeRootKeyFile(this.current, () => renameSync(this.next, this.current));
    syncDirectory(dirname(this.current));
  }

  #mustOwn(): void {
    const { uid } = statSync(this.current);
    if (process.getuid && process.getuid() !== uid)
      throw new StartError(`root key file ${this.current} belongs to user ${uid}: run this as that user`);
  }
}
