import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { KeyInUseError } from './errors.js';
import { KeyJobsRepository } from './key-jobs.repository.js';
import { keyPurpose, ROOT_PURPOSE, SYSTEM_OWNER, valuePurposes } from './key-purposes.js';
import { KeyUses } from './key-uses.js';
import { KeyUsesRepository } from './key-uses.repository.js';

/** The end of keys: what is under a destroyed key is gone for good, in backups of the other tables too. */
@Injectable()
export class KeyDestructionService {
  constructor(
    private readonly repository: KeyUsesRepository,
    private readonly uses: KeyUses,
    private readonly jobs: KeyJobsRepository,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Destroys a key that nothing needs any more. Instances stop using it within a second.
   *
   * @throws {KeyInUseError} for an unknown key, one that is primary or waits to be, and one that something is under
   */
  async destroy(id: string): Promise<void> {
    await this.database.transaction(async () => {
      // Locked first: the statement that destroys then sees every key that was put under it.
      const row = await this.repository.findForUpdate(id);
      if (!row) throw new KeyInUseError(`key ${id} does not exist`);
      const { state, purpose, owner_id: ownerId, version } = row;
      if (purpose === ROOT_PURPOSE) {
        throw new KeyInUseError(`key ${id} is a root key: \`npm run cli -- root complete\` gives it up`);
      }
      if (state === 'DESTROYED') throw new KeyInUseError(`key ${id} is destroyed already`);
      if (keyPurpose(purpose, ownerId).isPermanent) {
        throw new KeyInUseError(
          `key ${id} is kept: what ${purpose} authenticated could not be verified without it`,
        );
      }
      if (state === 'PRIMARY' || state === 'PENDING') {
        throw new KeyInUseError(`key ${id} is ${state}: rotate ${purpose} first`);
      }
      if (await this.jobs.findUnfinished(purpose, ownerId)) {
        throw new KeyInUseError(`key ${id} is being replaced: wait for the rotation of ${purpose} to end`);
      }
      const count = await this.uses.count(purpose, { id, ownerId, version });
      if (count > 0 || !(await this.repository.destroy(id, this.clock.nowMs()))) {
        throw new KeyInUseError(`key ${id} is in use by ${count}: rotate ${purpose} first`);
      }
    });
  }

  /** Destroys every key of a user at once, whatever is under them: nothing of theirs can be read again. */
  async destroyOwner(ownerId: string): Promise<void> {
    if (ownerId === SYSTEM_OWNER) throw new TypeError('the keys of the system are not destroyed together');
    const nowMs = this.clock.nowMs();
    await this.database.transaction(async () => {
      await this.jobs.finishOfOwner(ownerId, nowMs);
      // First what wraps: whoever is putting a key under it now is waited for, and the next statement sees that key.
      await this.repository.destroyOfOwner(ownerId, nowMs, 'user-kek');
      await this.repository.destroyOfOwner(ownerId, nowMs);
    });
  }

  /**
   * Destroys keys of one value each, in the transaction that empties the values. Instances stop using them within
   * a second.
   */
  async destroyValueKeys(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.repository.destroyValueKeys(ids, valuePurposes, this.clock.nowMs());
  }

  /** Destroys the retired keys whose time is over: old token keys, and keys of values that have new ones. */
  async destroyEnded(): Promise<void> {
    await this.repository.destroyEnded(this.clock.nowMs());
  }
}
