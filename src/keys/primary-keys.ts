import { Injectable } from '@nestjs/common';
import { OwnerDeletedError } from '../common/app-error.js';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { randomKeyId, SymmetricKey } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { generateRawKey, importRawKey } from './key-material.js';
import { keyPurpose, type KeyPurposeName } from './key-purposes.js';
import { RECHECK_MS } from './key-waits.js';
import { type KeyRow, KeysRepository } from './keys.repository.js';
import { RootKeys } from './root-keys.js';
import { type LoadedKey, MAX_CACHED_KEYS, UnwrappedKeys } from './unwrapped-keys.js';
import { wrappingContext } from './wrapping-context.js';

/** The keys that encrypt and sign now, one an owner and purpose, and the making of new keys. */
@Injectable()
export class PrimaryKeys {
  readonly #ids: ExpiringCache<string | undefined>;

  constructor(
    private readonly repository: KeysRepository,
    private readonly unwrapped: UnwrappedKeys,
    private readonly rootKeys: RootKeys,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    const bounds = { ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_KEYS };
    this.#ids = new ExpiringCache(bounds, clock, (name) => {
      const [ownerId = '', purpose = ''] = name.split(' ');
      return this.repository.findPrimaryId(ownerId, purpose);
    });
  }

  /**
   * The primary key, made when there is none.
   *
   * @throws {OwnerDeletedError} when there is none of a purpose whose keys are never made on demand
   */
  async get(purpose: KeyPurposeName, ownerId: string): Promise<LoadedKey> {
    const name = nameOf(purpose, ownerId);
    // What a transaction sees may be undone, so inside one nothing is put into a cache.
    const id = this.database.isInTransaction
      ? (this.#ids.peek(name) ?? (await this.repository.findPrimaryId(ownerId, purpose)))
      : await this.#ids.get(name);
    const key = id === undefined ? undefined : await this.unwrapped.find(id);
    if (key) return key;
    this.#ids.delete(name);
    if (keyPurpose(purpose, ownerId).isExplicit) {
      throw new OwnerDeletedError(new Error(`key ${purpose} of owner ${ownerId} is gone`));
    }
    return this.create(purpose, ownerId);
  }

  /** Makes and stores a key. Of two that make a primary at the same moment both get the one that was first. */
  async create(purpose: KeyPurposeName, ownerId: string): Promise<LoadedKey> {
    const { parent, isPerValue = false } = keyPurpose(purpose, ownerId);
    // A key for one value has encrypted it before anybody else can find the key.
    const state = isPerValue ? 'DECRYPT_ONLY' : 'PRIMARY';
    let theirsId: string | undefined;
    for (let attempt = 0; attempt < 2; attempt++) {
      const version = isPerValue ? 1 : (await this.repository.findLatestVersion(ownerId, purpose)) + 1;
      const key = await this.make(purpose, ownerId, { version, state });
      if (await this.repository.insert(key.row)) return key;
      // Another request or instance made the primary first: theirs is the one.
      theirsId = await this.repository.findPrimaryId(ownerId, purpose);
      const theirs = theirsId === undefined ? undefined : await this.unwrapped.find(theirsId);
      if (theirs) return theirs;
      // Or the key that wraps was rotated and destroyed within the second that its id is remembered.
      if (parent !== 'root') this.forget(parent, ownerId);
    }
    const unusable = theirsId === undefined ? '' : `: primary is ${theirsId}, whose row was changed`;
    throw new Error(`key ${purpose} of owner ${ownerId} was neither made nor found${unusable}`);
  }

  /** Makes a key and wraps it, without storing it. */
  async make(
    purpose: KeyPurposeName,
    ownerId: string,
    {
      version,
      state,
      activatedAtMs,
    }: Pick<KeyRow, 'version' | 'state'> & { readonly activatedAtMs?: number },
  ): Promise<LoadedKey> {
    const { suite, parent } = keyPurpose(purpose, ownerId);
    const parentKey =
      parent === 'root'
        ? await this.rootKeys.forNewKeys()
        : (await this.get(parent, ownerId)).material.symmetric;
    if (!parentKey) throw new Error(`key purpose ${parent} wraps no keys`);
    const description = {
      id: randomKeyId(),
      parent_id: parentKey.id,
      owner_id: ownerId,
      purpose,
      suite,
    };
    const raw = generateRawKey(suite);
    const context = wrappingContext(description);
    const wrapped =
      parentKey instanceof SymmetricKey
        ? parentKey.encrypt(raw, context)
        : await parentKey.wrap(raw, context);
    const material = await importRawKey({ id: description.id, purpose, ownerId, version, suite }, raw);
    const nowMs = this.clock.nowMs();
    const row: KeyRow = {
      ...description,
      version,
      state,
      wrapped,
      created_at: nowMs,
      activated_at: activatedAtMs ?? nowMs,
      not_after: null,
      destroyed_at: null,
    };
    return { row, material };
  }

  /** Looks the primary key up anew the next time: it was rotated. */
  forget(purpose: string, ownerId: string): void {
    this.#ids.delete(nameOf(purpose, ownerId));
  }
}

function nameOf(purpose: string, ownerId: string): string {
  return `${ownerId} ${purpose}`;
}
