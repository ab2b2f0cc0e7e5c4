import { type AppConfig, type RootKeyLocation } from '../config/app-config.js';
import { EnvRootKeyProvider } from './env-root-key.provider.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { type RootKeyProvider } from './root-key-provider.js';
import { nextFileOf } from './root-key-files.js';
import { type HeldRootKeys } from './root-keys.js';

/**
 * Every root key that the configuration leads to.
 *
 * @throws {StartError} when the current one is missing, or one that is there can't be used
 */
export function readRootKeys({ root, previousRoot }: AppConfig['keys']): HeldRootKeys {
  // Next before current: a promotion renames the one to the other, and this way neither is missed.
  const next = 'file' in root ? FileRootKeyProvider.loadIfPresent(nextFileOf(root.file)) : undefined;
  const current = 'file' in root ? FileRootKeyProvider.load(root.file) : new EnvRootKeyProvider(root.value);
  const previous = previousRoot && readPreviousRootKey(previousRoot);
  return { current, others: [next, previous].filter((provider) => provider !== undefined) };
}

export function readPreviousRootKey(location: RootKeyLocation): RootKeyProvider | undefined {
  return 'file' in location
    ? FileRootKeyProvider.loadIfPresent(location.file)
    : new EnvRootKeyProvider(location.value);
}

/** For a message: the variable, or the file's path. */
export function nameOf(location: RootKeyLocation): string {
  return 'file' in location ? `root key file ${location.file}` : location.variable;
}
