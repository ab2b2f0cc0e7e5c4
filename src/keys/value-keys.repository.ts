import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { type RetiredKey } from './encrypted-rows.js';

interface ValueKeys {
  readonly ownerId: string;
  readonly purpose: string;
  readonly createdUntilMs: number;
}

/** Keys for one value each, which a rotation replaces one by one. */
@Injectable()
export class ValueKeysRepository {
  constructor(private readonly database: Database) {}

  /** Those that were made until then, in the order of their ids. */
  async find(
    { ownerId, purpose, createdUntilMs }: ValueKeys,
    afterId: string,
    limit: number,
  ): Promise<RetiredKey[]> {
    return this.database.query
      .selectFrom('keys')
      .select(['id', 'owner_id as ownerId', 'version'])
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', '=', 'DECRYPT_ONLY')
      .where('not_after', 'is', null)
      .where('created_at', '<=', createdUntilMs)
      .where('id', '>', afterId)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /** How many of those are left. */
  async count({ ownerId, purpose, createdUntilMs }: ValueKeys): Promise<number> {
    const { count } = await this.database.query
      .selectFrom('keys')
      .select((column) => column.fn.countAll<number>().as('count'))
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', '=', 'DECRYPT_ONLY')
      .where('not_after', 'is', null)
      .where('created_at', '<=', createdUntilMs)
      .executeTakeFirstOrThrow();
    return count;
  }

  /** Lets a retired key be used until then and no longer. */
  async end(ids: readonly string[], notAfterMs: number): Promise<void> {
    await this.database.query
      .updateTable('keys')
      .set({ not_after: notAfterMs })
      .where('id', 'in', ids)
      .where('state', '=', 'DECRYPT_ONLY')
      .execute();
  }
}
