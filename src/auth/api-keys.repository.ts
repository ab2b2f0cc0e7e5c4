import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

type ApiKeyRow = Selectable<Schema['api_keys']>;
export type ListedApiKey = Omit<ApiKeyRow, 'user_id' | 'digest'>;

@Injectable()
export class ApiKeysRepository {
  readonly #findLive;

  constructor(private readonly database: Database) {
    this.#findLive = database.prepare((query, digest: Uint8Array, nowMs: number) =>
      query
        .selectFrom('api_keys')
        .innerJoin('users', 'users.id', 'api_keys.user_id')
        .select([
          'api_keys.id',
          'api_keys.user_id',
          'api_keys.scopes',
          'api_keys.last_used_at',
          'users.roles',
        ])
        .where('api_keys.digest', '=', digest)
        .where((where) =>
          where.or([where('api_keys.expires_at', 'is', null), where('api_keys.expires_at', '>', nowMs)]),
        )
        .where('users.disabled_at', 'is', null),
    );
  }

  /** The key with its user's roles, unless it expired or the user is disabled. */
  async findLive(
    digest: Uint8Array,
    nowMs: number,
  ): Promise<
    (Pick<ApiKeyRow, 'id' | 'user_id' | 'scopes' | 'last_used_at'> & { roles: string }) | undefined
  > {
    const [row] = await this.#findLive(digest, nowMs);
    return row;
  }

  async insert(row: Insertable<Schema['api_keys']>): Promise<void> {
    await this.database.query.insertInto('api_keys').values(row).execute();
  }

  /** Newest first; one row more than `limit` tells that there is a next page. */
  async list(
    userId: string,
    { belowId, limit }: { readonly belowId: string | undefined; readonly limit: number },
  ): Promise<ListedApiKey[]> {
    let query = this.database.query
      .selectFrom('api_keys')
      .select(['id', 'name', 'prefix', 'scopes', 'created_at', 'expires_at', 'last_used_at'])
      .where('user_id', '=', userId);
    if (belowId !== undefined) query = query.where('id', '<', belowId);
    return query
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
  }

  /** Notes a use, unless one was noted since `unlessSinceMs`. */
  async touch(id: string, nowMs: number, unlessSinceMs: number): Promise<void> {
    await this.database.query
      .updateTable('api_keys')
      .set({ last_used_at: nowMs })
      .where('id', '=', id)
      .where((where) =>
        where.or([where('last_used_at', 'is', null), where('last_used_at', '<', unlessSinceMs)]),
      )
      .execute();
  }

  /** @returns the digest of the key, or `undefined` when the user has no such key */
  async delete(id: string, userId: string): Promise<Uint8Array | undefined> {
    const row = await this.database.query
      .deleteFrom('api_keys')
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .returning('digest')
      .executeTakeFirst();
    return row?.digest;
  }

  async listDigests(userId: string): Promise<Uint8Array[]> {
    const rows = await this.database.query
      .selectFrom('api_keys')
      .select('digest')
      .where('user_id', '=', userId)
      .execute();
    return rows.map(({ digest }) => digest);
  }

  async deleteAll(userId: string): Promise<void> {
    await this.database.query.deleteFrom('api_keys').where('user_id', '=', userId).execute();
  }
}
