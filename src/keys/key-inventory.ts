import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { KeyInventoryRepository } from './key-inventory.repository.js';
import { type KeyJob, KeyJobsRepository } from './key-jobs.repository.js';
import { type KeyPurposeName, keyPurposes, valuePurposes } from './key-purposes.js';
import { KeyUses } from './key-uses.js';
import { type KeyRow } from './keys.repository.js';

const DAY_MS = 86_400_000;
const MAX_JOBS = 1_000;

type Facts = Pick<KeyRow, 'id' | 'owner_id' | 'purpose' | 'suite' | 'version' | 'state' | 'activated_at'>;

export interface InventoriedKey extends Facts {
  /** Keys and rows under it; undefined where those are not counted. */
  readonly uses: number | undefined;
  /** When the server replaces it by itself. */
  readonly dueAt: Date | undefined;
}

/** Keys that a rotation should not have left. */
export interface Straggler {
  readonly purpose: KeyPurposeName;
  readonly ownerId: string;
  /** The rotation that left them, where the keys don't tell. */
  readonly leftBy?: KeyJob;
}

/** What keys there are, for people. */
@Injectable()
export class KeyInventory {
  constructor(
    private readonly repository: KeyInventoryRepository,
    private readonly jobs: KeyJobsRepository,
    private readonly uses: KeyUses,
    private readonly config: AppConfig,
  ) {}

  /** Every key of one owner that is not destroyed. */
  async ofOwner(ownerId: string): Promise<InventoriedKey[]> {
    const keys: InventoriedKey[] = [];
    for (const row of await this.repository.list(ownerId)) {
      const uses = this.uses.isCounted(row.purpose)
        ? await this.uses.count(row.purpose, { id: row.id, ownerId, version: row.version })
        : undefined;
      keys.push({ ...row, uses, dueAt: this.#dueAt(row) });
    }
    return keys;
  }

  /** How many keys all users have, by purpose and state. */
  async ofUsers(): Promise<{ purpose: string; state: string; keys: number; owners: number }[]> {
    return this.repository.countOfUsers();
  }

  /** The first thousand unfinished rotations. */
  async unfinishedJobs(): Promise<KeyJob[]> {
    return this.jobs.listUnfinished('', MAX_JOBS);
  }

  async findJob(id: string): Promise<KeyJob | undefined> {
    return this.jobs.find(id);
  }

  /** Purposes and owners whose retired keys something is under still, though no rotation runs. */
  async *stragglers(): AsyncGenerator<Straggler> {
    let lastId = '';
    for (;;) {
      const page = await this.repository.listRetired(sharedPurposes, lastId);
      for (const { id, purpose, owner_id: ownerId, version } of page) {
        if ((await this.uses.count(purpose, { id, ownerId, version })) > 0) {
          yield { purpose: purpose as KeyPurposeName, ownerId };
        }
      }
      const last = page.at(-1);
      if (!last) break;
      lastId = last.id;
    }
    for (const leftBy of await this.repository.listIncomplete(valuePurposes)) {
      yield { purpose: leftBy.purpose as KeyPurposeName, ownerId: leftBy.owner_id, leftBy };
    }
  }

  #dueAt({ purpose, state, activated_at: activatedAtMs }: Facts): Date | undefined {
    const { rotation, kekMaxAgeDays, tokenKeyMaxAgeDays } = this.config.keys;
    const isToken = purpose === 'token-signing';
    if (rotation === 'manual' || state !== 'PRIMARY' || activatedAtMs === null) return undefined;
    if (!isToken && !purpose.endsWith('-kek')) return undefined;
    return new Date(activatedAtMs + (isToken ? tokenKeyMaxAgeDays : kekMaxAgeDays) * DAY_MS);
  }
}

const purposes = Object.entries(keyPurposes);
/** Purposes whose keys hold many values: such a key is retired by the next one. */
const sharedPurposes = purposes.filter(([, { isPerValue }]) => !isPerValue).map(([name]) => name);
