import { type EncryptionContext } from '../crypto/encryption-context.js';
import { type SymmetricKey } from '../crypto/symmetric-key.js';
import { importRootKey } from './root-key.js';
import { RootKeyProvider } from './root-key-provider.js';

/** The root key as the value of a variable, for platforms that keep secrets and have no files. */
export class EnvRootKeyProvider extends RootKeyProvider {
  readonly #key: SymmetricKey;

  /** @param value 32 bytes in base64url */
  constructor(value: string) {
    super();
    this.#key = importRootKey(Buffer.from(value, 'base64url'));
  }

  override get id(): string {
    return this.#key.id;
  }

  override async wrap(rawKey: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.#key.encrypt(rawKey, context);
  }

  override async unwrap(wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.#key.decrypt(wrapped, context);
  }
}
