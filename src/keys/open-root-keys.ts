import { existsSync } from 'node:fs';
import { type Clock } from '../common/clock.js';
import { StartError } from '../common/start-error.js';
import { makeRootKeyFile, removeUnfinished } from './make-root-key-file.js';
import { nextFileOf } from './root-key-files.js';
import { nameOf, type RootKeyPlaces } from './root-key-places.js';
import { type HeldRootKeys, RootKeys } from './root-keys.js';
import { type RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';

/**
 * Loads the root keys and makes sure that they are this database's, which takes the one that it is opened with
 * first. A missing file is made only where that is allowed and the database has none: beside existing data a new
 * root key would hide the loss.
 *
 * @throws {StartError} naming the file or variable and the ids of the key that is there and of those wanted
 */
export async function openRootKeys(
  places: RootKeyPlaces,
  { mayGenerate }: { readonly mayGenerate: boolean },
  repository: RootWrappedKeysRepository,
  clock: Clock,
): Promise<RootKeys> {
  const { root } = places;
  let wantedIds = await repository.findRootIds();
  if ('file' in root && !existsSync(root.file)) {
    if (wantedIds.length > 0) {
      throw new StartError(
        `root key file ${root.file} is missing and the database needs root key ${wantedIds.join(', ')}: restore that file from its backup`,
      );
    }
    if (mayGenerate) makeRootKeyFile(root.file);
  }
  const { current, others } = readFor(wantedIds, places);
  if (wantedIds.length === 0) {
    // Now, not with the first key: a file that is mixed up is found at the next start, whatever happened until then.
    await repository.adopt(current.id, clock.nowMs());
    wantedIds = await repository.findRootIds();
  }
  const otherIds = others.map(({ id }) => id);
  const missingIds = wantedIds.filter((id) => id !== current.id && !otherIds.includes(id));
  if (missingIds.length > 0) {
    const beside = otherIds.length > 0 ? ` and beside it is ${otherIds.join(', ')}` : '';
    throw new StartError(
      `${nameOf(root)} holds root key ${current.id}${beside}, but the database needs ${missingIds.join(', ')}: restore the right one`,
    );
  }
  if ('file' in root)
    [root.file, nextFileOf(root.file)].filter((file) => existsSync(file)).forEach(removeUnfinished);
  // A previous one is never made anew, only removed.
  const { previousRoot } = places;
  if (previousRoot && 'file' in previousRoot) removeUnfinished(previousRoot.file);
  const rootKeys = new RootKeys(() => places.read(), repository, clock);
  await rootKeys.forgetGivenUp();
  return rootKeys;
}

/** What can't be used has no id: then the one that is wanted tells which backup to take. */
function readFor(wantedIds: readonly string[], places: RootKeyPlaces): HeldRootKeys {
  try {
    return places.read();
  } catch (error) {
    if (!(error instanceof StartError) || wantedIds.length === 0) throw error;
    throw new StartError(`${error.message}; the database needs root key ${wantedIds.join(', ')}`, {
      cause: error,
    });
  }
}
