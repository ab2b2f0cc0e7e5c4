import { type EncryptionContext } from '../crypto/encryption-context.js';

/**
 * Holds one root key, which wraps the key-encryption keys and nothing else. Providers for a file and for a
 * variable are here; a KMS or HSM is one class more, since the key itself never has to leave the provider.
 */
export abstract class RootKeyProvider {
  /** 16 hexadecimal characters that identify the root key and reveal nothing of it. */
  abstract readonly id: string;

  /** Wraps the 32 bytes of a key, bound to the context. */
  abstract wrap(rawKey: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;

  /**
   * @throws {DecryptionError} when the bytes were not wrapped by this root key and context
   */
  abstract unwrap(wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
}
