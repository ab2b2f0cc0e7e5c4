import { Injectable } from '@nestjs/common';
import { expressionBuilder, type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type ShareRow = Selectable<Schema['shares']>;
type ListedShare = Pick<
  ShareRow,
  'id' | 'views' | 'views_left' | 'created_at' | 'expires_at' | 'passphrase_key_id'
>;

const EMPTY = {
  key_id: '',
  ciphertext: new Uint8Array(),
  passphrase_key_id: null,
  passphrase_ciphertext: null,
} as const;

/** Shares. That one lives and has views left is decided in the statements that use it. */
@Injectable()
export class SharesRepository {
  constructor(private readonly database: Database) {}

  async insert(row: Insertable<Schema['shares']>): Promise<void> {
    await this.database.query.insertInto('shares').values(row).execute();
  }

  /**
   * A share that can be revealed.
   *
   * @param tokenDigest - it must be this token's, where given
   */
  async findLive(id: string, nowMs: number, tokenDigest?: Uint8Array): Promise<ShareRow | undefined> {
    const query = this.database.query
      .selectFrom('shares')
      .selectAll()
      .where('id', '=', id)
      .where('views_left', '>', 0)
      .where('expires_at', '>', nowMs)
      .where(ownerIsEnabled());
    return (tokenDigest ? query.where('token_digest', '=', tokenDigest) : query).executeTakeFirst();
  }

  /** Uses one view up, if there is one: of any number of callers no more get the ciphertext than there are views. */
  async take(id: string, tokenDigest: Uint8Array, nowMs: number): Promise<ShareRow | undefined> {
    return this.database.query
      .updateTable('shares')
      .set((column) => ({ views_left: column('views_left', '-', 1) }))
      .where('id', '=', id)
      .where('token_digest', '=', tokenDigest)
      .where('views_left', '>', 0)
      .where('expires_at', '>', nowMs)
      .where(ownerIsEnabled())
      .returningAll()
      .executeTakeFirst();
  }

  async insertReveal(row: Insertable<Schema['share_reveals']>): Promise<void> {
    await this.database.query.insertInto('share_reveals').values(row).execute();
  }

  /** The owner's, newest first; one row more than `limit` tells that there is a next page. */
  async list(
    ownerId: string,
    { belowId, limit }: { belowId: string | undefined; limit: number },
  ): Promise<ListedShare[]> {
    let query = this.database.query
      .selectFrom('shares')
      .select(['id', 'views', 'views_left', 'created_at', 'expires_at', 'passphrase_key_id'])
      .where('owner_id', '=', ownerId);
    if (belowId !== undefined) query = query.where('id', '<', belowId);
    return query
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
  }

  /** When shares were revealed, in order. */
  async listReveals(shareIds: readonly string[]): Promise<Selectable<Schema['share_reveals']>[]> {
    if (shareIds.length === 0) return [];
    return this.database.query
      .selectFrom('share_reveals')
      .selectAll()
      .where('share_id', 'in', shareIds)
      .orderBy('share_id')
      .orderBy('view')
      .execute();
  }

  /** @returns the share that was deleted with all that was noted of it */
  async delete(ownerId: string, id: string): Promise<Pick<ShareRow, 'key_id'> | undefined> {
    return this.database.query
      .deleteFrom('shares')
      .where('id', '=', id)
      .where('owner_id', '=', ownerId)
      .returning('key_id')
      .executeTakeFirst();
  }

  /** Takes away what only a reveal needs. */
  async empty(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.database.query.updateTable('shares').set(EMPTY).where('id', 'in', ids).execute();
  }

  /** Shares whose time is over and that still have their key; those that somebody else has locked are left. */
  async findExpired(nowMs: number, limit: number): Promise<Pick<ShareRow, 'id' | 'key_id'>[]> {
    const query = this.database.query
      .selectFrom('shares')
      .select(['id', 'key_id'])
      .where('expires_at', '<=', nowMs)
      .where('key_id', '!=', '')
      .limit(limit);
    return (this.database.kind === 'postgres' ? query.forUpdate().skipLocked() : query).execute();
  }

  async deleteExpiredBefore(timeMs: number): Promise<void> {
    await this.database.query
      .deleteFrom('shares')
      .where('expires_at', '<', timeMs)
      .where('key_id', '=', '')
      .execute();
  }
}

/** What somebody shared rests while they are disabled. */
function ownerIsEnabled() {
  const share = expressionBuilder<Schema, 'shares'>();
  return share.exists(
    share
      .selectFrom('users')
      .select('users.id')
      .whereRef('users.id', '=', 'shares.owner_id')
      .where('users.disabled_at', 'is', null),
  );
}
