import { Injectable } from '@nestjs/common';
import { realpathSync } from 'node:fs';
import { Clock } from '../common/clock.js';
import { StartError } from '../common/start-error.js';
import { DecryptionError } from '../crypto/errors.js';
import { randomKeyBytes } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { removeUnfinished } from './make-root-key-file.js';
import { nextFileOf, RootKeyFiles } from './root-key-files.js';
import { nameOf, RootKeyPlaces } from './root-key-places.js';
import { type RootKeyProvider } from './root-key-provider.js';
import { type RootWrappedKey, RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';
import { shredRootKeyFile } from './shred-root-key-file.js';
import { wrappingContext } from './wrapping-context.js';

const KEYS_PER_READ = 500;

/** Called now and then with the number of keys that are re-wrapped so far, and of all that are to be. */
export type OnProgress = (count: number, total: number) => void;

/** What held a root key that is given up. A file that had another name, or was a link, is not overwritten. */
type Completed = { readonly file: string; readonly isOverwritten: boolean } | { readonly variable: string };

/**
 * Changes the root key: stage, promote, complete. Each step may be killed at any moment and run again.
 * Servers go on meanwhile: whatever the database holds is wrapped by a root key that they can find.
 */
@Injectable()
export class RootRotation {
  constructor(
    private readonly places: RootKeyPlaces,
    private readonly repository: RootWrappedKeysRepository,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the next root key.
   *
   * @returns undefined where the root key is in no file: the next one is the operator's to make
   */
  stage(): { readonly id: string; readonly file: string } | undefined {
    const { root, previousRoot } = this.places;
    const previous = this.places.readPrevious();
    if (previousRoot && previous) {
      throw new StartError(
        `${nameOf(previousRoot)} holds root key ${previous.id}: finish the last change with \`npm run cli -- root complete\``,
      );
    }
    if (!('file' in root)) return undefined;
    const files = this.#files(root.file);
    return { id: files.stage().id, file: files.next };
  }

  /**
   * Re-wraps every key under the staged root key, or under ROOT_KEY, in one transaction. The staged file
   * becomes the current one after the commit; the current one is kept as the previous.
   */
  async promote(onProgress: OnProgress): Promise<{ readonly id: string; readonly count: number }> {
    const { root } = this.places;
    const staged = this.places.readNext();
    const { current, others } = this.places.read();
    if (others.length === 0) {
      throw new StartError('there is no other root key: begin with `npm run cli -- root stage`');
    }
    const target = staged ?? current;
    await this.#prove(target);
    const files = staged && 'file' in root ? this.#files(root.file) : undefined;
    files?.keepCurrent(target.id);
    const count = await this.#rewrap(current.id, target, onProgress);
    files?.replaceCurrent(target.id);
    return { id: target.id, count };
  }

  /**
   * Gives the previous root key up. Since it was promoted no key can have been put under it.
   *
   * @returns what held it: a file that is removed now, or a variable to unset; undefined when nothing did
   * @throws {StartError} while it wraps new keys, or a key is still wrapped by it, and for one of another deployment
   */
  async complete(): Promise<Completed | undefined> {
    const { root, previousRoot } = this.places;
    const staged = this.places.readNext();
    if (staged) {
      throw new StartError(
        `root key ${staged.id} is staged: promote it first with \`npm run cli -- root promote\``,
      );
    }
    const previous = this.places.readPrevious();
    if (!previousRoot || !previous) return undefined;
    if ('file' in root && 'file' in previousRoot && isSameFile(root.file, previousRoot.file))
      throw new StartError(`${nameOf(previousRoot)} is the current one: correct ROOT_KEY_PREVIOUS_FILE`);
    const { current } = this.places.read();
    if (previous.id !== current.id) await this.#giveUp(previous.id, nameOf(previousRoot));
    if (!('file' in previousRoot)) return { variable: previousRoot.variable };
    const { file } = previousRoot;
    // While there is a previous root key nobody stages: none of these is being made.
    const files = 'file' in root ? [file, root.file] : [file];
    for (const name of files) [name, nextFileOf(name)].forEach(removeUnfinished);
    return { file, isOverwritten: shredRootKeyFile(file) };
  }

  async #giveUp(id: string, name: string): Promise<void> {
    if (await this.repository.destroyRoot(id, this.clock.nowMs())) return;
    const state = await this.repository.findRootState(id);
    if (!state)
      throw new StartError(
        `${name} holds root key ${id}, which this database never had: nothing was removed`,
      );
    if (state === 'PRIMARY')
      throw new StartError(`root key ${id} wraps new keys still: run \`npm run cli -- root promote\` first`);
    const left = await this.repository.count(id);
    if (left > 0)
      throw new StartError(
        `${left} keys are still wrapped by root key ${id}: run \`npm run cli -- root promote\``,
      );
  }

  #files(current: string): RootKeyFiles {
    const { previousRoot } = this.places;
    if (!previousRoot || !('file' in previousRoot))
      throw new StartError('the root key file cannot be changed while ROOT_KEY_PREVIOUS is set: unset it');
    return new RootKeyFiles(current, previousRoot.file);
  }

  /** What the new root key wraps must come back with what is read from its place once more. */
  async #prove(target: RootKeyProvider): Promise<void> {
    const { current, others } = this.places.read();
    const again = [current, ...others].find(({ id }) => id === target.id);
    const raw = randomKeyBytes();
    const context = { purpose: 'root-key-proof', owner: 'system' };
    const unwrapped = await again?.unwrap(await target.wrap(raw, context), context);
    if (!unwrapped || !raw.equals(unwrapped))
      throw new StartError(`root key ${target.id} does not unwrap what it wrapped: nothing was changed`);
  }

  async #rewrap(firstId: string, to: RootKeyProvider, onProgress: OnProgress): Promise<number> {
    return this.database.transaction(async () => {
      // So that a database knows the first one, too, when nothing was put under it.
      await this.repository.adopt(firstId, this.clock.nowMs());
      await this.repository.makePrimary(to.id, this.clock.nowMs());
      // From here on nobody else promotes. Whoever did while this process was held up has changed what is held.
      const { current, others } = this.places.read();
      const held = new Map([current, ...others].map((provider) => [provider.id, provider]));
      if (!held.delete(to.id))
        throw new StartError(`root key ${to.id} was replaced meanwhile: nothing was changed`);
      let total = 0;
      for (const id of held.keys()) total += await this.repository.count(id);
      let count = 0;
      for (const provider of held.values()) {
        let keys = await this.repository.find(provider.id, KEYS_PER_READ);
        while (keys.length > 0) {
          for (const key of keys) count += await this.#move(key, provider, to);
          onProgress(count, total);
          keys = await this.repository.find(provider.id, KEYS_PER_READ);
        }
      }
      return count;
    });
  }

  /** @returns how many keys it moved: none when somebody else was faster */
  async #move(key: RootWrappedKey, from: RootKeyProvider, to: RootKeyProvider): Promise<0 | 1> {
    const raw = await from.unwrap(key.wrapped, wrappingContext(key)).catch((error: unknown) => {
      if (!(error instanceof DecryptionError)) throw error;
      throw new StartError(
        `key ${key.id} cannot be unwrapped with root key ${from.id}: nothing was changed, restore its row`,
      );
    });
    try {
      const wrapped = await to.wrap(raw, wrappingContext({ ...key, parent_id: to.id }));
      return (await this.repository.move(key.id, from.id, to.id, wrapped)) ? 1 : 0;
    } finally {
      raw.fill(0);
    }
  }
}

function isSameFile(one: string, other: string): boolean {
  return realpathSync(one) === realpathSync(other);
}
