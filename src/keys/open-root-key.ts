import { existsSync } from 'node:fs';
import { StartError } from '../common/start-error.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { keyPurposes } from './key-purposes.js';
import { type KeysRepository } from './keys.repository.js';
import { type RootKeyProvider } from './root-key-provider.js';

const ROOT_WRAPPED = Object.entries(keyPurposes)
  .filter(([, { wrappedBy }]) => wrappedBy.user === 'root' || wrappedBy.system === 'root')
  .map(([name]) => name);

/**
 * Loads the root key and makes sure that it is this database's. A missing one is made only where that
 * is allowed and nothing is encrypted yet: beside existing data a new root key would hide the loss.
 *
 * @throws {StartError} naming the file and the ids of the key that is there and the one that is wanted
 */
export async function openRootKey(
  file: string,
  { mayGenerate }: { readonly mayGenerate: boolean },
  repository: KeysRepository,
): Promise<RootKeyProvider> {
  const wantedIds = await repository.findRootIds(ROOT_WRAPPED);
  const wanted = wantedIds.join(', ');
  if (!existsSync(file) && wantedIds.length > 0) {
    throw new StartError(
      `root key file ${file} is missing and the database needs root key ${wanted}: restore that file from its backup`,
    );
  }
  if (!existsSync(file) && mayGenerate) FileRootKeyProvider.generate(file);
  const provider = FileRootKeyProvider.load(file);
  if (wantedIds.some((id) => id !== provider.id)) {
    throw new StartError(
      `root key file ${file} holds root key ${provider.id}, but the database needs ${wanted}: restore the right file`,
    );
  }
  return provider;
}
