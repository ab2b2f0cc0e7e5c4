import { type EncryptionContext } from '../../src/crypto/encryption-context.js';
import { randomKeyBytes, randomKeyId, SymmetricKey } from '../../src/crypto/symmetric-key.js';
import { RootKeyProvider } from '../../src/keys/root-key-provider.js';

/** A real root key that no file holds. */
export class StaticRootKeyProvider extends RootKeyProvider {
  readonly #key = SymmetricKey.import(
    { id: randomKeyId(), purpose: 'root', owner: 'system', suite: 'XAES-256-GCM' },
    randomKeyBytes(),
  );

  readonly #onWrapped: () => Promise<void>;

  /** @param options.onWrapped is waited for before a wrapped key is given out */
  constructor({ onWrapped = async () => {} } = {}) {
    super();
    this.#onWrapped = onWrapped;
  }

  override get id(): string {
    return this.#key.id;
  }

  override async wrap(rawKey: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const wrapped = this.#key.encrypt(rawKey, context);
    await this.#onWrapped();
    return wrapped;
  }

  override async unwrap(wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.#key.decrypt(wrapped, context);
  }
}
