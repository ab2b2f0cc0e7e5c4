import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { type BlindIndexKey } from '../crypto/blind-index.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { KeyStore, type TokenKey } from '../crypto/key-store.js';
import { type SealingKeyPair } from '../crypto/sealing-key.js';
import { type SignatureKey } from '../crypto/signature.js';
import { randomKeyId, type SymmetricKey } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { generateRawKey, importRawKey, type KeyMaterial } from './key-material.js';
import { keyPurpose, type KeyPurposeName, SYSTEM_OWNER } from './key-purposes.js';
import { type KeyRow, KeysRepository } from './keys.repository.js';
import { publicTokenKey, type PublicTokenKey } from './public-token-key.js';
import { RootKeyProvider } from './root-key-provider.js';

/** A destroyed or disabled key encrypts, decrypts and signs nothing more on any instance after this time. */
const RECHECK_MS = 1_000;
const MAX_CACHED_KEYS = 10_000;
const KEY_ID = /^[0-9a-f]{16}$/;

interface LoadedKey {
  readonly row: KeyRow;
  readonly material: KeyMaterial;
}

/**
 * The keyring: finds, makes, wraps and unwraps every key below the root key. Unwrapped keys are kept in
 * memory and their state is read again after a second.
 */
@Injectable()
export class KeyringService extends KeyStore {
  readonly #keys: ExpiringCache<LoadedKey | undefined>;
  readonly #primaryIds: ExpiringCache<string | undefined>;

  constructor(
    private readonly repository: KeysRepository,
    private readonly rootKey: RootKeyProvider,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    super();
    const bounds = { ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_KEYS };
    this.#keys = new ExpiringCache(bounds, clock, (id, previous) => this.#load(id, previous));
    this.#primaryIds = new ExpiringCache(bounds, clock, (name) => {
      const [ownerId = '', purpose = ''] = name.split(' ');
      return this.repository.findPrimaryId(ownerId, purpose);
    });
  }

  /** Makes the key-encryption key of a new user. Call it in the transaction that inserts the user. */
  async createUserKey(userId: string): Promise<void> {
    await this.#create('user-kek', userId);
  }

  override async encryptionKey({ purpose, owner }: EncryptionContext): Promise<SymmetricKey> {
    const name = purpose as KeyPurposeName;
    const key = keyPurpose(name, owner).isPerValue
      ? await this.#create(name, owner)
      : await this.#primary(name, owner);
    return present(key.material.symmetric, purpose);
  }

  override decryptionKey(id: string): SymmetricKey | undefined | Promise<SymmetricKey | undefined> {
    const known = this.#keys.peek(id);
    return known ? known.material.symmetric : this.#find(id).then((key) => key?.material.symmetric);
  }

  override async blindIndexKeys(owner: string): Promise<readonly [BlindIndexKey, ...BlindIndexKey[]]> {
    const primary = await this.#primary('blind-index', owner);
    return [present(primary.material.blindIndex, 'blind-index')];
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
    const { row, material } = await this.#primary(purpose as KeyPurposeName, SYSTEM_OWNER);
    return { id: row.id, key: present(material.signing, purpose).privateKey };
  }

  override async signatureVerificationKey(purpose: string, keyId: string): Promise<SignatureKey | undefined> {
    const found = await this.#find(keyId);
    const pair = found?.row.purpose === purpose ? found.material.signing : undefined;
    return pair && { id: keyId, key: pair.publicKey };
  }

  override async sealingKeyPair(owner: string): Promise<SealingKeyPair> {
    return present((await this.#primary('sealing', owner)).material.sealing, 'sealing');
  }

  override async openingKeyPair(id: string): Promise<SealingKeyPair | undefined> {
    return (await this.#find(id))?.material.sealing;
  }

  /** Every token-signing key whose tokens are accepted. */
  async publicTokenKeys(): Promise<PublicTokenKey[]> {
    await this.#primary('token-signing', SYSTEM_OWNER);
    const ids = await this.repository.findUsableIds(SYSTEM_OWNER, 'token-signing');
    const keys = await Promise.all(ids.map((id) => this.#find(id)));
    return keys.flatMap((key) => {
      const pair = key?.material.signing;
      return pair ? [publicTokenKey(key.row.id, pair.publicKey)] : [];
    });
  }

  async #primary(purpose: KeyPurposeName, ownerId: string): Promise<LoadedKey> {
    const name = `${ownerId} ${purpose}`;
    // What a transaction sees may be undone, so inside one nothing is put into a cache.
    const id = this.database.isInTransaction
      ? (this.#primaryIds.peek(name) ?? (await this.repository.findPrimaryId(ownerId, purpose)))
      : await this.#primaryIds.get(name);
    const key = id === undefined ? undefined : await this.#find(id);
    if (key) return key;
    this.#primaryIds.delete(name);
    if (keyPurpose(purpose, ownerId).isExplicit)
      throw new Error(`key ${purpose} of owner ${ownerId} is gone`);
    return this.#create(purpose, ownerId);
  }

  async #find(id: string): Promise<LoadedKey | undefined> {
    if (this.database.isInTransaction) return this.#keys.peek(id) ?? this.#load(id, undefined);
    return this.#keys.get(id);
  }

  async #load(id: string, previous: LoadedKey | undefined): Promise<LoadedKey | undefined> {
    const row = await this.repository.find(id);
    if (!row?.wrapped || row.state === 'DISABLED' || row.state === 'DESTROYED') return undefined;
    if (previous) return { row, material: previous.material };
    const purpose = row.purpose as KeyPurposeName;
    const raw = await this.#unwrap(row.wrapped, row);
    const description = { id, purpose, ownerId: row.owner_id, version: row.version };
    return { row, material: await importRawKey(description, raw) };
  }

  async #create(purpose: KeyPurposeName, ownerId: string): Promise<LoadedKey> {
    const { suite, parent, isPerValue = false } = keyPurpose(purpose, ownerId);
    const parentKey = parent === 'root' ? undefined : await this.#primary(parent, ownerId);
    const nowMs = this.clock.nowMs();
    const description = {
      id: randomKeyId(),
      parent_id: parentKey?.row.id ?? this.rootKey.id,
      owner_id: ownerId,
      purpose,
      suite,
    };
    const raw = generateRawKey(purpose);
    const context = wrappingContext(description);
    const wrapped = parentKey
      ? present(parentKey.material.symmetric, parent).encrypt(raw, context)
      : await this.rootKey.wrap(raw, context);
    const version = isPerValue ? 1 : (await this.repository.findLatestVersion(ownerId, purpose)) + 1;
    const material = await importRawKey({ id: description.id, purpose, ownerId, version }, raw);
    const row: KeyRow = {
      ...description,
      version,
      // A key for one value has encrypted it before anybody else can find the key.
      state: isPerValue ? 'DECRYPT_ONLY' : 'PRIMARY',
      wrapped,
      created_at: nowMs,
      activated_at: nowMs,
      not_after: null,
      destroyed_at: null,
    };
    if (await this.repository.insert(row)) return { row, material };
    // Another request or instance made the primary first: theirs is the one.
    const id = await this.repository.findPrimaryId(ownerId, purpose);
    const theirs = id === undefined ? undefined : await this.#find(id);
    if (!theirs) throw new Error(`key ${purpose} of owner ${ownerId} was neither made nor found`);
    return theirs;
  }

  async #unwrap(wrapped: Uint8Array, row: KeyRow): Promise<Uint8Array> {
    const context = wrappingContext(row);
    if (row.parent_id === this.rootKey.id) return this.rootKey.unwrap(wrapped, context);
    const parent = await this.#find(row.parent_id);
    if (!parent) throw new Error(`key ${row.id} is wrapped by ${row.parent_id}, which is gone`);
    return present(parent.material.symmetric, parent.row.purpose).decrypt(wrapped, context);
  }
}

/** A wrapped key moved to another row, owner, purpose, suite or parent can't be unwrapped. */
function wrappingContext(
  row: Pick<KeyRow, 'id' | 'parent_id' | 'owner_id' | 'purpose' | 'suite'>,
): EncryptionContext {
  return { kid: row.id, parent: row.parent_id, owner: row.owner_id, purpose: row.purpose, suite: row.suite };
}

function present<T>(material: T | undefined, purpose: string): T {
  if (material === undefined) throw new Error(`key purpose ${purpose} has no such operation`);
  return material;
}
