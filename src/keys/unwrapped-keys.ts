import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { type SymmetricKey } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { importRawKey, type KeyMaterial } from './key-material.js';
import { keyPurpose, type KeyPurposeName, type KeySuite } from './key-purposes.js';
import { RECHECK_MS } from './key-waits.js';
import { type KeyRow, KeysRepository } from './keys.repository.js';
import { RootKeys } from './root-keys.js';
import { wrappingContext } from './wrapping-context.js';

export const MAX_CACHED_KEYS = 10_000;

export interface LoadedKey {
  readonly row: KeyRow;
  readonly material: KeyMaterial;
}

/** Keys by their id, ready to compute. They are kept in memory and their state is read again after a second. */
@Injectable()
export class UnwrappedKeys {
  readonly #keys: ExpiringCache<LoadedKey | undefined>;

  constructor(
    private readonly repository: KeysRepository,
    private readonly rootKeys: RootKeys,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    const bounds = { ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_KEYS };
    this.#keys = new ExpiringCache(bounds, clock, (id, previous) => this.#load(id, previous));
  }

  /** A key that was read within the last second. */
  peek(id: string): LoadedKey | undefined {
    return this.#keys.peek(id);
  }

  /** `undefined` for a key that is unknown, disabled or destroyed, or whose time is over. */
  async find(id: string): Promise<LoadedKey | undefined> {
    // What a transaction sees may be undone, so inside one nothing is put into a cache.
    if (this.database.isInTransaction) return this.#keys.peek(id) ?? this.#load(id, undefined);
    return this.#keys.get(id);
  }

  /** The symmetric key with this id, for wrapping. */
  async wrappingKey(id: string): Promise<SymmetricKey | undefined> {
    return (await this.find(id))?.material.symmetric;
  }

  async #load(id: string, previous: LoadedKey | undefined): Promise<LoadedKey | undefined> {
    const row = await this.repository.find(id);
    if (!row?.wrapped || row.state === 'DISABLED' || row.state === 'DESTROYED') return undefined;
    if (row.not_after !== null && row.not_after <= this.clock.nowMs()) return undefined;
    if (previous) return { row, material: previous.material };
    const raw = await this.#unwrap(row.wrapped, row);
    const { purpose, suite, owner_id: ownerId, version } = row;
    const description = {
      id,
      ownerId,
      version,
      purpose: purpose as KeyPurposeName,
      suite: suite as KeySuite,
    };
    return raw && { row, material: await importRawKey(description, raw) };
  }

  /** `undefined` when the key that wraps it is gone: nobody can unwrap it any more. */
  async #unwrap(wrapped: Uint8Array, row: KeyRow): Promise<Uint8Array | undefined> {
    const context = wrappingContext(row);
    if (keyPurpose(row.purpose, row.owner_id).parent === 'root')
      return this.rootKeys.unwrap(row.parent_id, wrapped, context);
    return (await this.wrappingKey(row.parent_id))?.decrypt(wrapped, context);
  }
}
