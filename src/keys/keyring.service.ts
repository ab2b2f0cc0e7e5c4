import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { type BlindIndexKey } from '../crypto/blind-index.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { KeyStore, type TokenKey } from '../crypto/key-store.js';
import { type SealingKeyPair } from '../crypto/sealing-key.js';
import { type SignatureKey } from '../crypto/signature.js';
import { type SymmetricKey } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { keyPurpose, type KeyPurposeName, SYSTEM_OWNER } from './key-purposes.js';
import { KeysRepository } from './keys.repository.js';
import { PrimaryKeys } from './primary-keys.js';
import { publicTokenKey, type PublicTokenKey } from './public-token-key.js';
import { MAX_CACHED_KEYS, RECHECK_MS, UnwrappedKeys } from './unwrapped-keys.js';

const KEY_ID = /^[0-9a-f]{16}$/;

/** The keyring: every key below the root key, as `CryptoService` asks for it. */
@Injectable()
export class KeyringService extends KeyStore {
  /** Per owner: the index keys that rows may still be under while a rotation runs. */
  readonly #retiredIndexKeyIds: ExpiringCache<string[]>;

  constructor(
    private readonly repository: KeysRepository,
    private readonly unwrapped: UnwrappedKeys,
    private readonly primaries: PrimaryKeys,
    private readonly database: Database,
    clock: Clock,
  ) {
    super();
    const bounds = { ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_KEYS };
    this.#retiredIndexKeyIds = new ExpiringCache(bounds, clock, (ownerId) =>
      this.repository.findIds(ownerId, 'blind-index', ['DECRYPT_ONLY']),
    );
  }

  /** Makes the key-encryption key of a new user. Call it in the transaction that inserts the user. */
  async createUserKey(userId: string): Promise<void> {
    await this.primaries.create('user-kek', userId);
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
    return known ? known.material.symmetric : this.unwrapped.find(id).then((key) => key?.material.symmetric);
  }

  override async blindIndexKeys(owner: string): Promise<readonly [BlindIndexKey, ...BlindIndexKey[]]> {
    const primary = await this.primaries.get('blind-index', owner);
    const ids = this.database.isInTransaction
      ? await this.repository.findIds(owner, 'blind-index', ['DECRYPT_ONLY'])
      : await this.#retiredIndexKeyIds.get(owner);
    const others = await Promise.all(
      ids.filter((id) => id !== primary.row.id).map((id) => this.unwrapped.find(id)),
    );
    return [
      present(primary.material.blindIndex, 'blind-index'),
      ...others.flatMap((key) => key?.material.blindIndex ?? []),
    ];
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
}

function present<T>(material: T | undefined, purpose: string): T {
  if (material === undefined) throw new Error(`key purpose ${purpose} has no such operation`);
  return material;
}
