import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { AppConfig } from '../config/app-config.js';
import { EncryptedRowsRegistry, type RetiredKey } from './encrypted-rows.js';
import { type KeyJob } from './key-jobs.repository.js';
import { type KeyPurposeName } from './key-purposes.js';
import { KeyRotationRepository, type MovedKey, type WrappedKey } from './key-rotation.repository.js';
import { PrimaryKeys } from './primary-keys.js';
import { UnwrappedKeys } from './unwrapped-keys.js';
import { wrappingContext } from './wrapping-context.js';

/** What is moved between two turns of the event loop: requests wait no longer than this takes, some milliseconds. */
const BATCH = 40;
const VALUE_KEYS = 20;
/** A request that has read a row before it was moved has this long to find the row's old key. */
const READ_GRACE_MS = 5_000;
/** The old token key was used for up to a second more, and clocks differ. */
const TOKEN_SKEW_MS = 5_000;

/** One step of a job. `write` runs in the transaction that notes the step. */
export interface KeyJobStep {
  readonly moved: number;
  /** Where the next step starts; absent when that doesn't matter. */
  readonly position?: string;
  readonly write?: () => Promise<void>;
}

/** Nothing to do before a certain time. */
const WAIT = 'wait';

/**
 * The steps of every kind of job. A step looks for what is left to move, so a job needs no list of it and a step
 * done twice changes nothing.
 */
@Injectable()
export class KeyJobSteps {
  constructor(
    private readonly repository: KeyRotationRepository,
    private readonly unwrapped: UnwrappedKeys,
    private readonly primaries: PrimaryKeys,
    private readonly registry: EncryptedRowsRegistry,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** The next step of the job, or `undefined` when nothing is left. */
  async next(job: KeyJob): Promise<KeyJobStep | typeof WAIT | undefined> {
    switch (job.kind) {
      case 'PROMOTE':
        return this.#promote(job);
      case 'REWRAP':
        return this.#rewrap(job);
      case 'REENCRYPT':
        return this.#reencrypt(job);
      default:
        return this.#reencryptValues(job);
    }
  }

  /** What the end of the job changes, in the transaction that ends it. */
  async finish({ purpose, owner_id: ownerId }: KeyJob): Promise<void> {
    // Every row is under the new index key, so a look-up needs the old ones no more.
    if (purpose === 'blind-index') await this.repository.disableRetired(ownerId, purpose);
    this.primaries.forget(purpose, ownerId);
  }

  async #promote({ owner_id: ownerId, purpose, from_key_id: oldId }: KeyJob) {
    const pending = await this.repository.findPending(ownerId, purpose);
    if (!pending) return undefined;
    const nowMs = this.clock.nowMs();
    if ((pending.activated_at ?? 0) > nowMs) return WAIT;
    const notAfterMs = nowMs + this.config.auth.accessTokenTtlSeconds * 1_000 + TOKEN_SKEW_MS;
    const write = async () => {
      if (oldId !== null) await this.repository.retire(oldId, { notAfterMs });
      await this.repository.promote(pending.id);
    };
    return { moved: 1, write };
  }

  async #rewrap({ owner_id: ownerId, purpose }: KeyJob): Promise<KeyJobStep | undefined> {
    for (const { id } of await this.repository.findRetired(ownerId, purpose, ['DECRYPT_ONLY'])) {
      const children = await this.repository.findChildren(id, BATCH);
      if (children.length === 0) continue;
      const moved = await this.#wrapAnew(children, id, purpose as KeyPurposeName, ownerId);
      return { moved: moved.length, write: () => this.repository.rewrap(moved) };
    }
    return undefined;
  }

  async #wrapAnew(
    children: readonly WrappedKey[],
    oldId: string,
    purpose: KeyPurposeName,
    ownerId: string,
  ): Promise<MovedKey[]> {
    const oldKey = await this.unwrapped.wrappingKey(oldId);
    const primary = await this.primaries.get(purpose, ownerId);
    const newKey = primary.material.symmetric;
    if (!oldKey || !newKey) throw new Error(`key ${oldId} cannot unwrap what is under it`);
    return children.map((child) => {
      const moved = { ...child, parent_id: primary.row.id };
      const raw = oldKey.decrypt(child.wrapped, wrappingContext(child));
      const wrapped = newKey.encrypt(raw, wrappingContext(moved));
      raw.fill(0);
      return { ...moved, wrapped, wrappedBefore: child.wrapped };
    });
  }

  async #reencrypt({ owner_id: ownerId, purpose }: KeyJob): Promise<KeyJobStep | undefined> {
    // An index is made from the value and not from the old index, so a disabled key's rows can be moved too.
    const states =
      purpose === 'blind-index' ? (['DECRYPT_ONLY', 'DISABLED'] as const) : (['DECRYPT_ONLY'] as const);
    for (const key of await this.repository.findRetired(ownerId, purpose, states)) {
      const moved = await this.#moveRows(purpose, key);
      if (moved > 0) return { moved };
    }
    return undefined;
  }

  async #reencryptValues(job: KeyJob): Promise<KeyJobStep | undefined> {
    const { owner_id: ownerId, purpose, position, created_at: createdUntilMs } = job;
    const made = { ownerId, purpose, createdUntilMs };
    const keys = await this.repository.findValueKeys(made, position, VALUE_KEYS);
    const last = keys.at(-1);
    if (!last) return undefined;
    for (const key of keys) while ((await this.#moveRows(purpose, key)) > 0);
    const ids = keys.map(({ id }) => id);
    const write = () => this.repository.end(ids, this.clock.nowMs() + READ_GRACE_MS);
    return { moved: keys.length, position: last.id, write };
  }

  async #moveRows(purpose: string, key: RetiredKey): Promise<number> {
    for (const rows of this.registry.of(purpose)) {
      const left = await rows.reencrypt(key, BATCH);
      if (left > 0) return Math.min(left, BATCH);
    }
    return 0;
  }
}
