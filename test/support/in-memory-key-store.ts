import { generateKeyPairSync } from 'node:crypto';
import { BlindIndexKey } from '../../src/crypto/blind-index.js';
import { type EncryptionContext } from '../../src/crypto/encryption-context.js';
import { KeyStore, type TokenKey } from '../../src/crypto/key-store.js';
import { MacKey } from '../../src/crypto/mac-key.js';
import { SealingKeyPair } from '../../src/crypto/sealing-key.js';
import { type KemName } from '../../src/crypto/sealing-suites.js';
import { type SignatureKey } from '../../src/crypto/signature.js';
import { type SuiteName } from '../../src/crypto/suites.js';
import { randomKeyBytes, randomKeyId, SymmetricKey } from '../../src/crypto/symmetric-key.js';

/** A `KeyStore` with real keys that lives as long as the test and makes what it is asked for. */
export class InMemoryKeyStore extends KeyStore {
  readonly #primaries = new Map<string, SymmetricKey>();
  readonly #byId = new Map<string, SymmetricKey>();
  readonly #indexKeys = new Map<string, [BlindIndexKey, ...BlindIndexKey[]]>();
  readonly #tokenKeys = new Map<string, TokenKey>();
  readonly #signingKeys = new Map<string, SignatureKey>();
  readonly #verificationKeys = new Map<string, SignatureKey>();
  readonly #macKeys = new Map<string, MacKey>();
  readonly #sealingPrimaries = new Map<string, SealingKeyPair>();
  readonly #sealingById = new Map<string, SealingKeyPair>();
  #tokenSigningKey: TokenKey | undefined;

  constructor(private readonly suite: SuiteName = 'COBBLESTONE-256') {
    super();
  }

  override async encryptionKey({ purpose, owner }: EncryptionContext): Promise<SymmetricKey> {
    return this.#primaries.get(nameOf(purpose, owner)) ?? this.rotate(purpose, owner);
  }

  override async decryptionKey(id: string): Promise<SymmetricKey | undefined> {
    return this.#byId.get(id);
  }

  override async blindIndexKeys(owner: string): Promise<readonly [BlindIndexKey, ...BlindIndexKey[]]> {
    return this.#indexKeys.get(owner) ?? this.rotateBlindIndex(owner);
  }

  override async tokenSigningKey(): Promise<TokenKey> {
    return this.#tokenSigningKey ?? this.rotateTokenKey();
  }

  override async tokenVerificationKey(kid: string): Promise<TokenKey | undefined> {
    return this.#tokenKeys.get(kid);
  }

  override async signatureKey(purpose: string): Promise<SignatureKey> {
    return this.#signingKeys.get(purpose) ?? this.rotateSignature(purpose);
  }

  override async signatureVerificationKey(purpose: string, keyId: string): Promise<SignatureKey | undefined> {
    return this.#verificationKeys.get(nameOf(purpose, keyId));
  }

  override async macKey(purpose: string): Promise<MacKey> {
    const known = this.#macKeys.get(purpose);
    const key = known ?? MacKey.import({ id: randomKeyId(), purpose }, randomKeyBytes());
    this.#macKeys.set(purpose, key);
    return key;
  }

  override async macKeyById(purpose: string, keyId: string): Promise<MacKey | undefined> {
    const key = this.#macKeys.get(purpose);
    return key?.id === keyId ? key : undefined;
  }

  override async macKeyIds(purpose: string): Promise<readonly string[]> {
    const key = this.#macKeys.get(purpose);
    return key ? [key.id] : [];
  }

  override async sealingKeyPair(owner: string): Promise<SealingKeyPair> {
    return this.#sealingPrimaries.get(owner) ?? this.rotateSealing(owner);
  }

  override async openingKeyPair(id: string): Promise<SealingKeyPair | undefined> {
    return this.#sealingById.get(id);
  }

  /** Makes a new primary; the one before goes on decrypting. */
  rotate(purpose: string, owner: string): SymmetricKey {
    const key = SymmetricKey.import(
      { id: randomKeyId(), purpose, owner, suite: this.suite },
      randomKeyBytes(),
    );
    this.#primaries.set(nameOf(purpose, owner), key);
    this.#byId.set(key.id, key);
    return key;
  }

  /** Makes a new primary index key; those before stay candidates. */
  rotateBlindIndex(owner: string): readonly [BlindIndexKey, ...BlindIndexKey[]] {
    const before = this.#indexKeys.get(owner) ?? [];
    const key = BlindIndexKey.import({ version: before.length + 1, owner }, randomKeyBytes());
    const keys: [BlindIndexKey, ...BlindIndexKey[]] = [key, ...before];
    this.#indexKeys.set(owner, keys);
    return keys;
  }

  /** Makes a new token key; tokens of those before still verify. */
  rotateTokenKey(): TokenKey {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const kid = randomKeyId();
    this.#tokenKeys.set(kid, { kid, key: publicKey });
    this.#tokenSigningKey = { kid, key: privateKey };
    return this.#tokenSigningKey;
  }

  /** Makes a new signing key; signatures of those before still verify. */
  rotateSignature(purpose: string): SignatureKey {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const id = randomKeyId();
    const signingKey = { id, key: privateKey };
    this.#signingKeys.set(purpose, signingKey);
    this.#verificationKeys.set(nameOf(purpose, id), { id, key: publicKey });
    return signingKey;
  }

  /** Makes a new primary key pair; those before still open. */
  async rotateSealing(owner: string, kem: KemName = 'MLKEM768-X25519'): Promise<SealingKeyPair> {
    const pair = await SealingKeyPair.import({ id: randomKeyId(), owner, kem }, randomKeyBytes());
    this.#sealingPrimaries.set(owner, pair);
    this.#sealingById.set(pair.publicKey.id, pair);
    return pair;
  }

  /** What disabling or destroying a key looks like from here. */
  forget(keyId: string): void {
    this.#byId.delete(keyId);
    this.#sealingById.delete(keyId);
  }
}

function nameOf(purpose: string, owner: string): string {
  return JSON.stringify([purpose, owner]);
}
