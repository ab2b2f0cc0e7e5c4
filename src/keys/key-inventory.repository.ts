import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { SYSTEM_OWNER } from './key-purposes.js';
import { type KeyJob } from './key-jobs.repository.js';
import { type KeyRow } from './keys.repository.js';

const PAGE = 100;

/** What keys there are. */
@Injectable()
export class KeyInventoryRepository {
  constructor(private readonly database: Database) {}

  async list(ownerId: string) {
    return this.database.query
      .selectFrom('keys')
      .select(['id', 'owner_id', 'purpose', 'suite', 'version', 'state', 'activated_at'])
      .where('owner_id', '=', ownerId)
      .where('state', '!=', 'DESTROYED')
      .orderBy('purpose')
      .orderBy('version')
      .execute();
  }

  async countOfUsers() {
    return this.database.query
      .selectFrom('keys')
      .select((column) => [
        'purpose',
        'state',
        column.fn.countAll<number>().as('keys'),
        column.fn.count<number>('owner_id').distinct().as('owners'),
      ])
      .where('owner_id', '!=', SYSTEM_OWNER)
      .groupBy(['purpose', 'state'])
      .orderBy('purpose')
      .orderBy('state')
      .execute();
  }

  /** Ended rotations of these purposes that left something behind, unless another one of the same keys came after. */
  async listIncomplete(purposes: readonly string[]): Promise<KeyJob[]> {
    return this.database.query
      .selectFrom('key_jobs as job')
      .selectAll()
      .where('purpose', 'in', purposes)
      .where('remaining', '>', 0)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('key_jobs as later')
              .select('later.id')
              .whereRef('later.purpose', '=', 'job.purpose')
              .whereRef('later.owner_id', '=', 'job.owner_id')
              .whereRef('later.id', '>', 'job.id'),
          ),
        ),
      )
      .orderBy('id')
      .execute();
  }

  /** A page of the retired keys that can be moved from, in the order of their ids. */
  async listRetired(
    purposes: readonly string[],
    afterId: string,
  ): Promise<Pick<KeyRow, 'id' | 'purpose' | 'owner_id' | 'version'>[]> {
    return this.database.query
      .selectFrom('keys')
      .select(['id', 'purpose', 'owner_id', 'version'])
      .where('purpose', 'in', purposes)
      .where((where) =>
        where.or([
          where('state', '=', 'DECRYPT_ONLY'),
          where.and([where('state', '=', 'DISABLED'), where('purpose', '=', 'blind-index')]),
        ]),
      )
      .where('id', '>', afterId)
      .orderBy('id')
      .limit(PAGE)
      .execute();
  }
}
