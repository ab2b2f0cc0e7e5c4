import { StartError } from '../common/start-error.js';
import { type AppConfig } from '../config/app-config.js';
import { type RootKeyLocation } from '../config/root-key-location.js';
import { EnvRootKeyProvider } from './env-root-key.provider.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { nextFileOf } from './root-key-files.js';
import { type RootKeyProvider } from './root-key-provider.js';
import { type HeldRootKeys } from './root-keys.js';

export type RootKeyProviders = Readonly<Record<string, (reference: string) => RootKeyProvider>>;

/** What `ROOT_KEY=<name>:<reference>` leads to. A KMS or HSM is one class, and one line here. */
export const rootKeyProviders: RootKeyProviders = {
  /** The reference is the key itself. A value without a name means this one. */
  env: (value) => new EnvRootKeyProvider(value),
};

/** Where the configuration says that root keys are: in files, in variables, or held by whom a variable names. */
export class RootKeyPlaces {
  readonly root: RootKeyLocation;
  readonly previousRoot: RootKeyLocation | undefined;

  constructor(
    { root, previousRoot }: AppConfig['keys'],
    private readonly providers = rootKeyProviders,
  ) {
    this.root = root;
    this.previousRoot = previousRoot;
  }

  /**
   * Every root key that the configuration leads to.
   *
   * @throws {StartError} when the current one is missing, or one that is there can't be used
   */
  read(): HeldRootKeys {
    const { root } = this;
    // Next before current: a promotion renames the one to the other, and this way neither is missed.
    const next = this.readNext();
    const current = 'file' in root ? FileRootKeyProvider.load(root.file) : this.#open(root);
    const previous = this.readPrevious();
    return { current, others: [next, previous].filter((provider) => provider !== undefined) };
  }

  /** The one that is staged: only a file can be. */
  readNext(): RootKeyProvider | undefined {
    return 'file' in this.root ? FileRootKeyProvider.loadIfPresent(nextFileOf(this.root.file)) : undefined;
  }

  readPrevious(): RootKeyProvider | undefined {
    const location = this.previousRoot;
    if (!location) return undefined;
    return 'file' in location ? FileRootKeyProvider.loadIfPresent(location.file) : this.#open(location);
  }

  #open({
    variable,
    provider,
    reference,
  }: Exclude<RootKeyLocation, { readonly file: string }>): RootKeyProvider {
    const open = Object.hasOwn(this.providers, provider) ? this.providers[provider] : undefined;
    if (!open) {
      const names = Object.keys(this.providers).join(', ');
      throw new StartError(`${variable} names the root key provider ${provider}, want one of ${names}`);
    }
    return open(reference.reveal());
  }
}

/** For a message: the variable, or the file's path. */
export function nameOf(location: RootKeyLocation): string {
  return 'file' in location ? `root key file ${location.file}` : location.variable;
}
