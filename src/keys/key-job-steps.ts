import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { AppConfig } from '../config/app-config.js';
import { EncryptedRowsRegistry, type RetiredKey } from './encrypted-rows.js';
import { type JobRun, UnmovableError } from './job-run.js';
import { type KeyJob } from './key-jobs.repository.js';
import { keyPurpose, type KeyPurposeName } from './key-purposes.js';
import { KeyRotationRepository, type MovedKey, type WrappedKey } from './key-rotation.repository.js';
import { KeyUses } from './key-uses.js';
import { CLOCK_SKEW_MS, SETTLE_MS } from './key-waits.js';
import { PrimaryKeys } from './primary-keys.js';
import { UnwrappedKeys } from './unwrapped-keys.js';
import { ValueKeysRepository } from './value-keys.repository.js';
import { wrappingContext } from './wrapping-context.js';

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
    private readonly valueKeys: ValueKeysRepository,
    private readonly unwrapped: UnwrappedKeys,
    private readonly primaries: PrimaryKeys,
    private readonly uses: KeyUses,
    private readonly registry: EncryptedRowsRegistry,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** The next step of the job, or `undefined` when nothing is left that this run can move. */
  async next(job: KeyJob, run: JobRun): Promise<KeyJobStep | typeof WAIT | undefined> {
    switch (job.kind) {
      case 'PROMOTE':
        return this.#promote(job);
      case 'REWRAP':
        return this.#rewrap(job, run);
      case 'REENCRYPT':
        return (await this.#promote(job)) ?? this.#reencrypt(job, run);
      default:
        return this.#reencryptValues(job, run);
    }
  }

  /** How much is still under the owner's retired keys, in the transaction that ends the job. */
  async countRemaining({
    kind,
    purpose,
    owner_id: ownerId,
    created_at: createdUntilMs,
  }: KeyJob): Promise<number> {
    if (kind === 'PROMOTE') return 0;
    if (kind === 'REENCRYPT_VALUES') {
      return this.valueKeys.count({ ownerId, purpose, createdUntilMs });
    }
    await this.repository.lockRetired(ownerId, purpose);
    let remaining = 0;
    for (const key of await this.#retired(purpose, ownerId)) remaining += await this.uses.count(purpose, key);
    return remaining;
  }

  /** What the end of the job changes, in the transaction that ends it. */
  async finish({ purpose, owner_id: ownerId }: KeyJob, remaining: number): Promise<void> {
    // Every row is under the new index key, so a look-up needs the old ones no more.
    if (purpose === 'blind-index' && remaining === 0) await this.repository.disableRetired(ownerId, purpose);
    this.primaries.forget(purpose, ownerId);
  }

  /** Makes a key primary that was pending for long enough, and waits until every instance has seen it. */
  async #promote({ kind, owner_id: ownerId, purpose, from_key_id: oldId }: KeyJob) {
    const { pendingMs } = keyPurpose(purpose, ownerId);
    if (pendingMs === undefined) return undefined;
    const newest = await this.repository.findNewest(ownerId, purpose);
    const nowMs = this.clock.nowMs();
    const activatedAtMs = newest?.activated_at ?? 0;
    if (newest?.state !== 'PENDING') {
      return kind !== 'PROMOTE' && activatedAtMs + SETTLE_MS > nowMs ? WAIT : undefined;
    }
    const isMisdated = activatedAtMs > nowMs + pendingMs + CLOCK_SKEW_MS;
    if (isMisdated) return { moved: 0, write: () => this.repository.postpone(newest.id, nowMs + pendingMs) };
    if (activatedAtMs > nowMs) return WAIT;
    const notAfterMs =
      kind === 'PROMOTE' ? nowMs + this.config.auth.accessTokenTtlSeconds * 1_000 + TOKEN_SKEW_MS : null;
    const write = async () => {
      if (oldId !== null) await this.repository.retire(oldId, { notAfterMs });
      await this.repository.promote(newest.id, nowMs);
    };
    return { moved: 0, write };
  }

  async #rewrap({ owner_id: ownerId, purpose }: KeyJob, run: JobRun): Promise<KeyJobStep | undefined> {
    for (const { id: oldId } of await this.#retired(purpose, ownerId)) {
      const children = run.next(await this.repository.findChildren(oldId, run.limit), ({ id }) => id);
      if (children.length === 0) continue;
      const moved = await this.#wrapAnew(children, oldId, purpose as KeyPurposeName, run);
      return { moved: moved.length, ...(moved.length > 0 && { write: () => this.repository.rewrap(moved) }) };
    }
    return undefined;
  }

  async #wrapAnew(
    children: readonly WrappedKey[],
    oldId: string,
    purpose: KeyPurposeName,
    run: JobRun,
  ): Promise<MovedKey[]> {
    const ownerId = children[0]?.owner_id ?? '';
    const primary = await this.primaries.get(purpose, ownerId);
    const newKey = primary.material.symmetric;
    if (!newKey) throw new Error(`key ${primary.row.id} wraps no keys`);
    const moved: MovedKey[] = [];
    for (const child of children) {
      const wrapped = await run.attempt(child.id, oldId, async () => {
        const oldKey = await this.unwrapped.wrappingKey(oldId);
        if (!oldKey) throw new UnmovableError(`key ${oldId} unwraps nothing any more`);
        const raw = oldKey.decrypt(child.wrapped, wrappingContext(child));
        const anew = newKey.encrypt(raw, wrappingContext({ ...child, parent_id: primary.row.id }));
        raw.fill(0);
        return anew;
      });
      if (wrapped) moved.push({ ...child, parent_id: primary.row.id, wrapped, wrappedBefore: child.wrapped });
    }
    return moved;
  }

  async #reencrypt({ owner_id: ownerId, purpose }: KeyJob, run: JobRun): Promise<KeyJobStep | undefined> {
    for (const key of await this.#retired(purpose, ownerId)) {
      const step = await this.#moveRows(purpose, key, run);
      if (step) return step;
    }
    return undefined;
  }

  async #reencryptValues(job: KeyJob, run: JobRun): Promise<KeyJobStep | undefined> {
    const { owner_id: ownerId, purpose, position, created_at: createdUntilMs } = job;
    const made = { ownerId, purpose, createdUntilMs };
    const keys = await this.valueKeys.find(made, position, VALUE_KEYS);
    const last = keys.at(-1);
    if (!last) return undefined;
    const movedIds: string[] = [];
    for (const key of keys) {
      const skippedBefore = run.skipped;
      while (await this.#moveRows(purpose, key, run));
      if (run.skipped === skippedBefore) movedIds.push(key.id);
    }
    const write = () => this.valueKeys.end(movedIds, this.clock.nowMs() + READ_GRACE_MS);
    return { moved: movedIds.length, position: last.id, ...(movedIds.length > 0 && { write }) };
  }

  async #moveRows(purpose: string, key: RetiredKey, run: JobRun): Promise<KeyJobStep | undefined> {
    for (const rows of this.registry.of(purpose)) {
      const skippedBefore = run.skipped;
      const found = await rows.reencrypt(key, run);
      if (found > 0) return { moved: found - (run.skipped - skippedBefore) };
    }
    return undefined;
  }

  #retired(purpose: string, ownerId: string): Promise<RetiredKey[]> {
    // An index is made from the value and not from the old index, so a disabled key's rows can be moved too.
    const states =
      purpose === 'blind-index' ? (['DECRYPT_ONLY', 'DISABLED'] as const) : (['DECRYPT_ONLY'] as const);
    return this.repository.findRetired(ownerId, purpose, states);
  }
}
