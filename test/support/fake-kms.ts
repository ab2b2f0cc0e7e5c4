import { createHash } from 'node:crypto';
import { type EncryptionContext } from '../../src/crypto/encryption-context.js';
import { DecryptionError } from '../../src/crypto/errors.js';
import { randomKeyBytes, randomKeyId, SymmetricKey } from '../../src/crypto/symmetric-key.js';
import { RootKeyProvider } from '../../src/keys/root-key-provider.js';

/** A key management service in memory. Its keys are used by their names and never leave it. */
export class FakeKms {
  readonly #keys = new Map<string, SymmetricKey>();

  /** @returns the name of a new key */
  createKey(): string {
    const name = `arn:fake:kms:key/${randomKeyId()}`;
    const parameters = { id: randomKeyId(), purpose: 'kms', owner: 'kms', suite: 'XAES-256-GCM' } as const;
    this.#keys.set(name, SymmetricKey.import(parameters, randomKeyBytes()));
    return name;
  }

  deleteKey(name: string): void {
    this.#keys.delete(name);
  }

  async encrypt(name: string, plaintext: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.#key(name).encrypt(plaintext, context);
  }

  /** @throws {InvalidCiphertextException} as a real one calls it */
  async decrypt(name: string, ciphertext: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const key = this.#key(name);
    try {
      return key.decrypt(ciphertext, context);
    } catch (error) {
      throw new InvalidCiphertextException('', { cause: error });
    }
  }

  #key(name: string): SymmetricKey {
    const key = this.#keys.get(name);
    if (!key) throw new Error(`NotFoundException: ${name}`);
    return key;
  }
}

class InvalidCiphertextException extends Error {}

/** All that a KMS needs to hold the root key. */
export class FakeKmsRootKeyProvider extends RootKeyProvider {
  constructor(
    private readonly kms: FakeKms,
    private readonly name: string,
  ) {
    super();
  }

  override get id(): string {
    return createHash('sha256').update(this.name).digest('hex').slice(0, 16);
  }

  override async wrap(rawKey: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.kms.encrypt(this.name, rawKey, context);
  }

  override async unwrap(wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    try {
      return await this.kms.decrypt(this.name, wrapped, context);
    } catch (error) {
      // Only this: a service that can't be reached now is no reason to give a key up.
      if (error instanceof InvalidCiphertextException) throw new DecryptionError(this.id);
      throw error;
    }
  }
}
