import { Injectable } from '@nestjs/common';
import { OwnerDeletedError } from '../common/app-error.js';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { type BlindIndexKey } from '../crypto/blind-index.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { KeyStore, type TokenKey } from '../crypto/key-store.js';
import { type MacKey } from '../crypto/mac-key.js';
import { type SealingKeyPair } from '../crypto/sealing-key.js';
import { type SignatureKey } from '../crypto/signature.js';
import { type SymmetricKey } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { keyPurpose, type KeyPurposeName, SYSTEM_OWNER } from './key-purposes.js';
import { RECHECK_MS } from './key-waits.js';
import { KeysRepository } from './keys.repository.js';
import { PrimaryKeys } from './primary-keys.js';
import { publicTokenKey, type PublicTokenKey } from './public-token-key.js';
import { type LoadedKey, MAX_CACHED_KEYS, UnwrappedKeys } from './unwrapped-keys.js';

const KEY_ID = /^[0-9a-f]{16}$/;

/** The keyring: every key below the root key, as `CryptoService` asks for it. */
@Injectable()
export class KeyringService extends KeyStore {
  /**
   * Per owner, newest first: the primary index key and, while a rotation runs, the one that is to be primary and
   * those that rows may still be under. Read in one statement: a new primary without the key before it would hide
   * every row for a moment.
   */
  readonly #indexKeyIds: ExpiringCache<string[]>;

  constructor(
    private readonly repository: KeysRepository,
    private readonly unwrapped: UnwrappedKeys,
    private readonly primaries: PrimaryKeys,
    private readonly database: Database,
    clock: Clock,
  ) {
    super();
    const bounds = { ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_KEYS };
    this.#indexKeyIds = new ExpiringCache(bounds, clock, (ownerId) => this.#findIndexKeyIds(ownerId));
  }

  /** Makes the key-encryption key of a new user. Call it in the transaction that inserts the user. */
  async createUserKey(userId: string): Promise<void> {
    await this.primaries.create('user-kek', userId);
  }

  /** Keeps no key in memory that has ended. Call it now and then. */
  forgetEnded(): Promise<void> {
    return this.unwrapped.forgetEnded();
  }

  override async encryptionKey({ purpose, owner }: EncryptionContext): Promise<SymmetricKey> {
    const name = purpose as KeyPurposeName;
    const key = keyPurpose(name, owner).isPerValue
      ? await this.primaries.create(name, owner)
      : await this.primaries.get(name, owner);
    return present(key.material.symmetric, purpose);
  }

  override decryptionKey(id: string): SymmetricKey | undefined | Promise<SymmetricKey | undefined> {
    const known = this.unwrapped.peek(id);
    return known ? known.material.symmetric : this.#findForDecryption(id);
  }

  override async blindIndexKeys(owner: string): Promise<readonly [BlindIndexKey, ...BlindIndexKey[]]> {
    const known = await this.#indexKeys(owner);
    const found = known.find(({ row }) => row.state === 'PRIMARY');
    if (found) return toIndexKeys(found, known);
    const primary = await this.primaries.get('blind-index', owner);
    this.#indexKeyIds.delete(owner);
    return toIndexKeys(primary, await this.#indexKeys(owner));
  }

  override async tokenSigningKey(): Promise<TokenKey> {
    const { id, key } = await this.signatureKey('token-signing');
    return { kid: id, key };
  }

  override async tokenVerificationKey(kid: string): Promise<TokenKey | undefined> {
    const found = KEY_ID.test(kid) ? await this.signatureVerificationKey('token-signing', kid) : undefined;
    return found && { kid, key: found.key };
  }

  override async signatureKey(purpose: string): Promise<SignatureKey> {
    const { row, material } = await this.primaries.get(purpose as KeyPurposeName, SYSTEM_OWNER);
    return { id: row.id, key: present(material.signing, purpose).privateKey };
  }

  override async signatureVerificationKey(purpose: string, keyId: string): Promise<SignatureKey | undefined> {
    const found = await this.unwrapped.find(keyId);
    const pair = found?.row.purpose === purpose ? found.material.signing : undefined;
    return pair && { id: keyId, key: pair.publicKey };
  }

  override async macKey(purpose: string): Promise<MacKey> {
    const key = await this.primaries.get(purpose as KeyPurposeName, SYSTEM_OWNER);
    return present(key.material.mac, purpose);
  }

  override async macKeyById(purpose: string, keyId: string): Promise<MacKey | undefined> {
    const found = await this.unwrapped.find(keyId);
    return found?.row.purpose === purpose ? found.material.mac : undefined;
  }

  override async macKeyIds(purpose: string): Promise<readonly string[]> {
    return this.repository.findIds(SYSTEM_OWNER, purpose, ['PRIMARY', 'DECRYPT_ONLY']);
  }

  override async sealingKeyPair(owner: string): Promise<SealingKeyPair> {
    return present((await this.primaries.get('sealing', owner)).material.sealing, 'sealing');
  }

  override async openingKeyPair(id: string): Promise<SealingKeyPair | undefined> {
    return (await this.unwrapped.find(id))?.material.sealing;
  }

  /** Every token-signing key whose tokens are accepted. */
  async publicTokenKeys(): Promise<PublicTokenKey[]> {
    await this.primaries.get('token-signing', SYSTEM_OWNER);
    const ids = await this.repository.findIds(SYSTEM_OWNER, 'token-signing', [
      'PENDING',
      'PRIMARY',
      'DECRYPT_ONLY',
    ]);
    const keys = await Promise.all(ids.map((id) => this.unwrapped.find(id)));
    return keys.flatMap((key) => {
      const pair = key?.material.signing;
      return pair ? [publicTokenKey(key.row.id, pair.publicKey)] : [];
    });
  }

  /** @throws {OwnerDeletedError} when what was read before its owner was deleted is decrypted afterwards */
  async #findForDecryption(id: string): Promise<SymmetricKey | undefined> {
    const key = await this.unwrapped.find(id);
    if (!key && (await this.repository.isOfDeletedOwner(id))) throw new OwnerDeletedError();
    return key?.material.symmetric;
  }

  async #indexKeys(owner: string): Promise<LoadedKey[]> {
    const ids = this.database.isInTransaction
      ? await this.#findIndexKeyIds(owner)
      : await this.#indexKeyIds.get(owner);
    const keys = await Promise.all(ids.map((id) => this.unwrapped.find(id)));
    return keys.filter((key) => key !== undefined);
  }

  #findIndexKeyIds(owner: string): Promise<string[]> {
    return this.repository.findIds(owner, 'blind-index', ['PENDING', 'PRIMARY', 'DECRYPT_ONLY']);
  }
}

function toIndexKeys(
  primary: LoadedKey,
  keys: readonly LoadedKey[],
): readonly [BlindIndexKey, ...BlindIndexKey[]] {
  const others = keys.filter(({ row }) => row.id !== primary.row.id);
  return [
    present(primary.material.blindIndex, 'blind-index'),
    ...others.map(({ material }) => present(material.blindIndex, 'blind-index')),
  ];
}

function present<T>(material: T | undefined, purpose: string): T {
  if (material === undefined) throw new Error(`key purpose ${purpose} has no such operation`);
  return material;
}
