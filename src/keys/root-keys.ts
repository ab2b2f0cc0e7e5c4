import { type Clock } from '../common/clock.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { DecryptionError } from '../crypto/errors.js';
import { type RootKeyProvider } from './root-key-provider.js';
import { type RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';

/** The root keys that can be reached at one moment. */
export interface HeldRootKeys {
  readonly current: RootKeyProvider;
  /** The next and the previous one, while the root key is changed. */
  readonly others: readonly RootKeyProvider[];
}

/**
 * Every root key that may be needed, found by its exact id. Which of them wraps new keys is what the
 * database says, so that an instance that missed a change never wraps under a key that is about to go.
 */
export class RootKeys {
  #held: HeldRootKeys;
  /** A variable leads to such a one until the restart, and its row can be changed by whoever writes to the database. */
  readonly #givenUp = new Set<string>();

  /** @param read looks again where root keys are kept; called when an unknown one is asked for */
  constructor(
    private readonly read: () => HeldRootKeys,
    private readonly repository: Pick<
      RootWrappedKeysRepository,
      'findPrimaryId' | 'adopt' | 'findDestroyedIds'
    >,
    private readonly clock: Clock,
  ) {
    this.#held = read();
  }

  /** The root key that wraps now. @throws {DecryptionError} when it can't be reached */
  async forNewKeys(): Promise<RootKeyProvider> {
    const id = (await this.repository.findPrimaryId()) ?? (await this.#adopt());
    return this.#get(id);
  }

  /**
   * @throws {DecryptionError} when the root key can't be reached or has not wrapped these bytes and context
   */
  async unwrap(rootId: string, wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.#get(rootId).unwrap(wrapped, context);
  }

  /** Lets go of those that `root complete` gave up, for good: whatever their rows say later, they are used no more. */
  async forgetGivenUp(): Promise<void> {
    for (const id of await this.repository.findDestroyedIds()) this.#givenUp.add(id);
    this.#hold(this.#held);
    // What is current here was replaced meanwhile, and nothing had to be looked for since.
    if (this.#givenUp.has(this.#held.current.id)) this.#readAgain();
  }

  /** A database that has no key yet takes the root key that it is started with first. */
  async #adopt(): Promise<string> {
    const { id } = this.#readAgain().current;
    await this.repository.adopt(id, this.clock.nowMs());
    return (await this.repository.findPrimaryId()) ?? id;
  }

  #get(id: string): RootKeyProvider {
    const provider = withId(this.#held, id) ?? withId(this.#readAgain(), id);
    if (!provider) throw new DecryptionError(id);
    return provider;
  }

  #readAgain(): HeldRootKeys {
    return this.#hold(this.read());
  }

  /** The current one is the operator's word, even when it was given up before. */
  #hold({ current, others }: HeldRootKeys): HeldRootKeys {
    this.#held = { current, others: others.filter(({ id }) => !this.#givenUp.has(id)) };
    return this.#held;
  }
}

function withId({ current, others }: HeldRootKeys, id: string): RootKeyProvider | undefined {
  return [current, ...others].find((provider) => provider.id === id);
}
