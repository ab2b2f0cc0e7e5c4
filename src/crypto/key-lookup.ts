import { type ChunkCipher } from './chunk-cipher.js';
import { type EncryptionContext } from './encryption-context.js';
import { keyIdOf } from './envelope.js';
import { DecryptionError } from './errors.js';
import { type KeyStore } from './key-store.js';
import { recipientKeyIdOf } from './sealed-box.js';
import { type SealingKeyPair } from './sealing-key.js';
import { InvalidSignatureError, signatureKeyIdOf, type SignatureKey } from './signature.js';
import { type SymmetricKey } from './symmetric-key.js';

/** Finds keys in the store by their exact id, and takes none that belongs to another purpose or owner. */
export class KeyLookup {
  constructor(private readonly keyStore: KeyStore) {}

  async forEncryption(context: EncryptionContext): Promise<SymmetricKey> {
    const key = await this.keyStore.encryptionKey(context);
    // A store that hands out another's key would make data that nobody can decrypt again.
    if (belongsTo(key, context)) return key;
    throw new Error(
      `key ${key.id} is for ${key.purpose} of ${key.owner}, want ${context.purpose} of ${context.owner}`,
    );
  }

  /**
   * @param envelope or its beginning
   * @throws DecryptionError for an unknown or disabled key and one of another purpose or owner
   */
  async forDecryption(envelope: Uint8Array, context: EncryptionContext): Promise<SymmetricKey> {
    const keyId = keyIdOf(envelope);
    const key = await this.keyStore.decryptionKey(keyId);
    if (key === undefined || !belongsTo(key, context)) throw new DecryptionError(keyId);
    return key;
  }

  /** Starts to decrypt by the first `MESSAGE_PREFIX_BYTES` of an envelope. @throws DecryptionError */
  async startDecryption(prefix: Uint8Array, context: EncryptionContext): Promise<ChunkCipher> {
    return (await this.forDecryption(prefix, context)).startDecryption(prefix, context);
  }

  /** @throws DecryptionError for an unknown or disabled key pair and one of another owner */
  async forOpening(box: Uint8Array, owner: string): Promise<SealingKeyPair> {
    const keyId = recipientKeyIdOf(box);
    const pair = await this.keyStore.openingKeyPair(keyId);
    if (pair === undefined || pair.publicKey.owner !== owner) throw new DecryptionError(keyId);
    return pair;
  }

  /** @throws InvalidSignatureError for an unknown or disabled key and one of another purpose */
  async forVerification(signature: Uint8Array, purpose: string): Promise<SignatureKey> {
    const keyId = signatureKeyIdOf(signature);
    const key = await this.keyStore.signatureVerificationKey(purpose, keyId);
    if (key === undefined) throw new InvalidSignatureError(keyId);
    return key;
  }
}

function belongsTo(key: SymmetricKey, context: EncryptionContext): boolean {
  return key.purpose === context.purpose && key.owner === context.owner;
}
