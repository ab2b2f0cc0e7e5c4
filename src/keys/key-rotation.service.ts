import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { uuidv7 } from '../common/id.js';
import { StartError } from '../common/start-error.js';
import { Database } from '../database/database.js';
import { KeyChangedError } from './errors.js';
import { type KeyJob, KeyJobsRepository } from './key-jobs.repository.js';
import { keyPurpose, type KeyPurposeName } from './key-purposes.js';
import { KeyRotationRepository } from './key-rotation.repository.js';
import { KeyUses } from './key-uses.js';
import { type KeyRow, KeysRepository } from './keys.repository.js';
import { PrimaryKeys } from './primary-keys.js';

const PAGE = 100;
/** How often a rotation is begun anew when it meets another change of the same keys, such as a root promotion. */
const ATTEMPTS = 4;

type OnFailure = (ownerId: string, error: unknown) => void;

/**
 * Begins rotations: a new primary key, and a job that brings what is under the old one to it. The jobs are
 * done by `KeyJobRunner`.
 */
@Injectable()
export class KeyRotationService {
  constructor(
    private readonly repository: KeyRotationRepository,
    private readonly keys: KeysRepository,
    private readonly jobs: KeyJobsRepository,
    private readonly primaries: PrimaryKeys,
    private readonly uses: KeyUses,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Gives an owner a new primary key of a purpose, and begins the job that moves everything to it. A key that has to
   * be known before it is used is made primary by that job. Of many that begin it at once, one does.
   *
   * @returns the job, also one that runs already; `undefined` when the owner has no key to replace
   * @throws {TypeError} for a purpose that is not known for this owner
   * @throws {StartError} when the owner's keys, or the key above them, are changed again and again meanwhile
   */
  async rotate(purpose: KeyPurposeName, ownerId: string): Promise<KeyJob | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#begin(purpose, ownerId);
      } catch (error) {
        if (!(error instanceof KeyChangedError)) throw error;
        if (attempt === ATTEMPTS) throw new StartError(`${error.message}: try again`, { cause: error });
        const { parent } = keyPurpose(purpose, ownerId);
        this.primaries.forget(parent, ownerId);
      }
    }
  }

  async #begin(purpose: KeyPurposeName, ownerId: string): Promise<KeyJob | undefined> {
    const running = await this.jobs.findUnfinished(purpose, ownerId);
    if (running) return running;
    const { isPerValue = false } = keyPurpose(purpose, ownerId);
    const job = await this.#newJob(purpose, ownerId);
    if (isPerValue && job.total === 0) return undefined;
    if (isPerValue) return (await this.jobs.insert(job)) ? job : this.jobs.findUnfinished(purpose, ownerId);

    const { from_key_id: oldId } = job;
    if (oldId === null) return undefined;
    const next = await this.#makeNext(job, purpose);
    const isBegun = await this.database.transaction(async () => {
      if (!(await this.jobs.insert(job))) return false;
      await this.#replace(oldId, next);
      return true;
    });
    this.primaries.forget(purpose, ownerId);
    return isBegun ? job : this.jobs.findUnfinished(purpose, ownerId);
  }

  /**
   * As `rotate`, for every owner that has keys of the purpose, one after the other.
   *
   * @param onFailure - is told of an owner whose key could not be rotated; the others go on
   */
  async *rotateAll(purpose: KeyPurposeName, onFailure: OnFailure): AsyncGenerator<KeyJob> {
    let owners: string[];
    let lastOwner = '';
    do {
      owners = await this.repository.listOwners(purpose, lastOwner, PAGE);
      for (const owner of owners) {
        let job: KeyJob | undefined;
        try {
          job = await this.rotate(purpose, owner);
        } catch (error) {
          onFailure(owner, error);
        }
        if (job) yield job;
      }
      lastOwner = owners.at(-1) ?? lastOwner;
    } while (owners.length === PAGE);
  }

  /**
   * Rotates up to a hundred of the keys that became primary longer ago than `maxAgeMs`.
   *
   * @param onFailure - is told of an owner whose key could not be rotated; the others go on
   * @returns how many were
   */
  async rotateDue(purpose: KeyPurposeName, maxAgeMs: number, onFailure: OnFailure): Promise<number> {
    const owners = await this.repository.findDue(purpose, this.clock.nowMs() - maxAgeMs, PAGE);
    let rotated = 0;
    for (const owner of owners) {
      try {
        await this.rotate(purpose, owner);
        rotated++;
      } catch (error) {
        onFailure(owner, error);
      }
    }
    return rotated;
  }

  /**
   * Begins a job without a new key, for what was left under retired keys.
   *
   * @param leftBy the job of keys for one value each that left them: what was made since then is not moved
   */
  async resume(purpose: KeyPurposeName, ownerId: string, leftBy?: KeyJob): Promise<void> {
    const job = await this.#newJob(purpose, ownerId);
    await this.jobs.insert(
      leftBy ? { ...job, created_at: leftBy.created_at, total: leftBy.remaining ?? 0 } : job,
    );
  }

  async #newJob(purpose: KeyPurposeName, ownerId: string): Promise<KeyJob> {
    const nowMs = this.clock.nowMs();
    return {
      id: uuidv7(nowMs),
      kind: kindOf(purpose, ownerId),
      purpose,
      owner_id: ownerId,
      from_key_id: (await this.keys.findPrimaryId(ownerId, purpose)) ?? null,
      position: '',
      lease_owner: null,
      lease_until: null,
      done: 0,
      total: await this.uses.countOfOwner(purpose, ownerId),
      created_at: nowMs,
      finished_at: null,
      remaining: null,
    };
  }

  async #makeNext({ owner_id: ownerId, created_at: nowMs }: KeyJob, purpose: KeyPurposeName) {
    const version = (await this.keys.findLatestVersion(ownerId, purpose)) + 1;
    const { pendingMs } = keyPurpose(purpose, ownerId);
    const { row } = await this.primaries.make(
      purpose,
      ownerId,
      pendingMs === undefined
        ? { version, state: 'PRIMARY' }
        : { version, state: 'PENDING', activatedAtMs: nowMs + pendingMs },
    );
    return row;
  }

  /** Undoes everything around it by throwing when somebody else has changed the keys since they were read. */
  async #replace(oldId: string, next: KeyRow): Promise<void> {
    const { owner_id: ownerId, purpose, state } = next;
    const isStillPrimary =
      state === 'PENDING'
        ? (await this.keys.findPrimaryId(ownerId, purpose)) === oldId
        : await this.repository.retire(oldId, { notAfterMs: null });
    if (!isStillPrimary || !(await this.keys.insert(next))) {
      throw new KeyChangedError(`key ${oldId} or the key it is under was changed meanwhile`);
    }
  }
}

function kindOf(purpose: KeyPurposeName, ownerId: string): KeyJob['kind'] {
  if (purpose === 'token-signing') return 'PROMOTE';
  if (purpose.endsWith('-kek')) return 'REWRAP';
  return keyPurpose(purpose, ownerId).isPerValue ? 'REENCRYPT_VALUES' : 'REENCRYPT';
}
