import { type KeyObject } from 'node:crypto';
import { type BlindIndexKey } from './blind-index.js';
import { type EncryptionContext } from './encryption-context.js';
import { type MacKey } from './mac-key.js';
import { type SealingKeyPair } from './sealing-key.js';
import { type SignatureKey } from './signature.js';
import { type SymmetricKey } from './symmetric-key.js';

/** An ES256 key pair half with the key id that tokens name in their `kid` header. */
export interface TokenKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/**
 * Where `CryptoService` finds keys. `keys/` implements it over the database; a project that lifts
 * `crypto/` out brings its own.
 */
export abstract class KeyStore {
  /** The primary key of the context's purpose and owner, or a new key for purposes with one key a value. */
  abstract encryptionKey(context: EncryptionContext): Promise<SymmetricKey>;

  /**
   * The key with exactly this id, or `undefined` when it is unknown or may not decrypt any more. A promise only
   * where it must be looked up: each further promise on the way of a short value costs a tenth of its decryption.
   */
  abstract decryptionKey(id: string): SymmetricKey | undefined | Promise<SymmetricKey | undefined>;

  /** The owner's blind-index keys, primary first, then those that a rotation comes from or leads to. */
  abstract blindIndexKeys(owner: string): Promise<readonly [BlindIndexKey, ...BlindIndexKey[]]>;

  /** The private key that signs access tokens now. */
  abstract tokenSigningKey(): Promise<TokenKey>;

  /** The public key that verifies tokens naming this `kid`, or `undefined`. */
  abstract tokenVerificationKey(kid: string): Promise<TokenKey | undefined>;

  /** The private key that signs for the purpose now. */
  abstract signatureKey(purpose: string): Promise<SignatureKey>;

  /** The public key with exactly this id, if it is one of the purpose's and may still verify, or `undefined`. */
  abstract signatureVerificationKey(purpose: string, keyId: string): Promise<SignatureKey | undefined>;

  /** The key that authenticates messages of the deployment for the purpose now. */
  abstract macKey(purpose: string): Promise<MacKey>;

  /** The key with exactly this id, if it is one of the purpose's, or `undefined`. */
  abstract macKeyById(purpose: string, keyId: string): Promise<MacKey | undefined>;

  /** The ids of every key that the purpose ever had and that may still verify, newest first; makes none. */
  abstract macKeyIds(purpose: string): Promise<readonly string[]>;

  /** The owner's primary key pair, whose public half others seal to. */
  abstract sealingKeyPair(owner: string): Promise<SealingKeyPair>;

  /** The key pair with exactly this id, or `undefined` when it is unknown or may not open any more. */
  abstract openingKeyPair(id: string): Promise<SealingKeyPair | undefined>;
}
