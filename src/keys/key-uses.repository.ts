import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { type RetiredKey } from './encrypted-rows.js';
import { type KeyRow } from './keys.repository.js';

const GONE = { state: 'DESTROYED', wrapped: null } as const;

/** Which keys are in use, and the end of those that are not. */
@Injectable()
export class KeyUsesRepository {
  constructor(private readonly database: Database) {}

  async countChildren(parentId: string): Promise<number> {
    const { count } = await this.database.query
      .selectFrom('keys')
      .select((column) => column.fn.countAll<number>().as('count'))
      .where('parent_id', '=', parentId)
      .where('wrapped', 'is not', null)
      .executeTakeFirstOrThrow();
    return count;
  }

  async countOfOwner(purpose: string, ownerId: string): Promise<number> {
    const { count } = await this.database.query
      .selectFrom('keys')
      .select((column) => column.fn.countAll<number>().as('count'))
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('wrapped', 'is not', null)
      .executeTakeFirstOrThrow();
    return count;
  }

  async listOfOwner(purpose: string, ownerId: string): Promise<RetiredKey[]> {
    return this.database.query
      .selectFrom('keys')
      .select(['id', 'owner_id as ownerId', 'version'])
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('wrapped', 'is not', null)
      .execute();
  }

  /** The key, locked until the surrounding transaction ends (SQLite has one writer at a time anyway). */
  async findForUpdate(id: string): Promise<KeyRow | undefined> {
    const query = this.database.query.selectFrom('keys').selectAll().where('id', '=', id);
    return (this.database.kind === 'postgres' ? query.forUpdate() : query).executeTakeFirst();
  }

  /**
   * Destroys a retired key unless a key is under it or a rotation still runs, which the statement itself checks.
   *
   * @returns false when it is in use
   */
  async destroy(id: string, nowMs: number): Promise<boolean> {
    const row = await this.database.query
      .updateTable('keys')
      .set({ ...GONE, destroyed_at: nowMs })
      .where('id', '=', id)
      .where('state', 'in', ['DECRYPT_ONLY', 'DISABLED'])
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('keys as child')
              .select('child.id')
              .where('child.parent_id', '=', id)
              .where('child.wrapped', 'is not', null),
          ),
        ),
      )
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('key_jobs')
              .select('key_jobs.id')
              .whereRef('key_jobs.purpose', '=', 'keys.purpose')
              .whereRef('key_jobs.owner_id', '=', 'keys.owner_id')
              .where('finished_at', 'is', null),
          ),
        ),
      )
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Destroys an owner's keys, of one purpose where given, whatever is under them. */
  async destroyOfOwner(ownerId: string, nowMs: number, purpose?: string): Promise<void> {
    let query = this.database.query
      .updateTable('keys')
      .set({ ...GONE, destroyed_at: nowMs })
      .where('owner_id', '=', ownerId)
      .where('state', '!=', 'DESTROYED');
    if (purpose !== undefined) query = query.where('purpose', '=', purpose);
    await query.execute();
  }

  async destroyValueKeys(ids: readonly string[], purposes: readonly string[], nowMs: number): Promise<void> {
    await this.database.query
      .updateTable('keys')
      .set({ ...GONE, destroyed_at: nowMs })
      .where('id', 'in', ids)
      .where('purpose', 'in', purposes)
      .where('wrapped', 'is not', null)
      .execute();
  }

  /** Destroys the retired keys whose time is over. */
  async destroyEnded(nowMs: number): Promise<void> {
    await this.database.query
      .updateTable('keys')
      .set({ ...GONE, destroyed_at: nowMs })
      .where('not_after', '<=', nowMs)
      .where('wrapped', 'is not', null)
      .where('state', '=', 'DECRYPT_ONLY')
      .execute();
  }
}
