import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { DecryptionError } from '../crypto/errors.js';
import { type SymmetricKey } from '../crypto/symmetric-key.js';
import { Database } from '../database/database.js';
import { importRawKey, type KeyMaterial } from './key-material.js';
import { keyPurpose, type KeyPurposeName, type KeySuite } from './key-purposes.js';
import { RECHECK_MS } from './key-waits.js';
import { type KeyRow, KeysRepository } from './keys.repository.js';
import { RootKeys } from './root-keys.js';
import { wrappingContext } from './wrapping-context.js';

export const MAX_CACHED_KEYS = 10_000;
const IDS_PER_READ = 500;

export interface LoadedKey {
  readonly row: KeyRow;
  readonly material: KeyMaterial;
}

/** Keys by their id, ready to compute. They are kept in memory and their state is read again after a second. */
@Injectable()
export class UnwrappedKeys {
  readonly #keys: ExpiringCache<LoadedKey | undefined>;
  /** What was unwrapped, as long as the key is usable. The bytes of an id never change, so a transaction may add to it. */
  readonly #materials = new Map<string, LoadedKey>();

  constructor(
    private readonly repository: KeysRepository,
    private readonly rootKeys: RootKeys,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    const bounds = { ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_KEYS };
    this.#keys = new ExpiringCache(bounds, clock, (id) => this.#load(id));
  }

  /** A key that was read within the last second. */
  peek(id: string): LoadedKey | undefined {
    return this.#keys.peek(id);
  }

  /** `undefined` for a key that is unknown, disabled or destroyed, or whose time is over. */
  async find(id: string): Promise<LoadedKey | undefined> {
    // What a transaction sees may be undone, so inside one nothing is put into a cache.
    if (this.database.isInTransaction) return this.#keys.peek(id) ?? this.#load(id);
    return this.#keys.get(id);
  }

  /** The symmetric key with this id, for wrapping. */
  async wrappingKey(id: string): Promise<SymmetricKey | undefined> {
    return (await this.find(id))?.material.symmetric;
  }

  /**
   * Lets go of every key that has ended since it was used, and of root keys that were given up. They are not
   * overwritten: who holds one to encrypt with it would do that under a key of zeros.
   */
  async forgetEnded(): Promise<void> {
    await this.rootKeys.forgetGivenUp();
    const ids = [...this.#materials.keys()];
    for (let start = 0; start < ids.length; start += IDS_PER_READ) {
      const page = ids.slice(start, start + IDS_PER_READ);
      const usable = new Set(await this.repository.findUsableIds(page, this.clock.nowMs()));
      for (const id of page) if (!usable.has(id)) this.#materials.delete(id);
      // SQLite answers in the same turn of the event loop: requests come in between.
      await setImmediate();
    }
    this.#keys.clear();
  }

  async #load(id: string): Promise<LoadedKey | undefined> {
    const row = await this.repository.find(id);
    if (!row?.wrapped || !this.#isUsable(row)) {
      this.#materials.delete(id);
      return undefined;
    }
    const known = this.#materials.get(id);
    if (known && isSameKey(known.row, row)) return { row, material: known.material };
    const material = await this.#import(row, row.wrapped);
    const key = material && { row, material };
    if (key) this.#remember(id, key);
    return key;
  }

  #isUsable({ state, not_after: notAfterMs }: KeyRow): boolean {
    if (state === 'DISABLED' || state === 'DESTROYED') return false;
    return notAfterMs === null || notAfterMs > this.clock.nowMs();
  }

  #remember(id: string, key: LoadedKey): void {
    const oldest = this.#materials.keys().next();
    if (this.#materials.size >= MAX_CACHED_KEYS && !oldest.done) this.#materials.delete(oldest.value);
    this.#materials.set(id, key);
  }

  /** @throws {DecryptionError} naming the key whose row somebody else has changed, whatever in it */
  async #import(row: KeyRow, wrapped: Uint8Array): Promise<KeyMaterial | undefined> {
    const { id, purpose, suite, owner_id: ownerId, version } = row;
    const description = {
      id,
      ownerId,
      version,
      purpose: purpose as KeyPurposeName,
      suite: suite as KeySuite,
    };
    try {
      const raw = await this.#unwrap(wrapped, row);
      return raw && (await importRawKey(description, raw));
    } catch (error) {
      const isOfRow =
        error instanceof DecryptionError || error instanceof TypeError || error instanceof RangeError;
      throw isOfRow ? new DecryptionError(id, { cause: error }) : error;
    }
  }

  /** `undefined` when the key that wraps it is gone: nobody can unwrap it any more. */
  async #unwrap(wrapped: Uint8Array, row: KeyRow): Promise<Uint8Array | undefined> {
    const context = wrappingContext(row);
    const { parent } = keyPurpose(row.purpose, row.owner_id);
    if (parent === 'root') return this.rootKeys.unwrap(row.parent_id, wrapped, context);
    // Looked at before it is waited for: keys that name each other as their parents would wait for ever.
    const parentRow = this.peek(row.parent_id)?.row ?? (await this.repository.find(row.parent_id));
    if (parentRow && parentRow.purpose !== parent) throw new DecryptionError(row.id);
    return (await this.wrappingKey(row.parent_id))?.decrypt(wrapped, context);
  }
}

/** What its wrapping is bound to, or else a row that was changed would make another key of what is in memory. */
function isSameKey(one: KeyRow, other: KeyRow): boolean {
  return (
    one.purpose === other.purpose &&
    one.owner_id === other.owner_id &&
    one.suite === other.suite &&
    one.version === other.version
  );
}
