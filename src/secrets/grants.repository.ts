import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';
import { type ReadableVersion, readableColumns } from './secret-versions.repository.js';

type GrantRow = Selectable<Schema['grants']>;

/** What a recipient may read with one grant. */
export type GrantedVersion = ReadableVersion & { readonly owner_id: string };

@Injectable()
export class GrantsRepository {
  constructor(private readonly database: Database) {}

  async insert(row: Insertable<Schema['grants']>): Promise<void> {
    await this.database.query.insertInto('grants').values(row).execute();
  }

  /** Of one secret, the newest first; one row more than `limit` tells that there is a next page. */
  async list(
    secretId: string,
    { belowId, limit }: { belowId: string | undefined; limit: number },
  ): Promise<GrantRow[]> {
    let query = this.database.query.selectFrom('grants').selectAll().where('secret_id', '=', secretId);
    if (belowId !== undefined) query = query.where('id', '<', belowId);
    return query
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
  }

  async delete(secretId: string, id: string): Promise<GrantRow | undefined> {
    return this.database.query
      .deleteFrom('grants')
      .where('id', '=', id)
      .where('secret_id', '=', secretId)
      .returningAll()
      .executeTakeFirst();
  }

  /** To one recipient and still in force, likewise. */
  async listReceived(
    recipientId: string,
    { belowId, limit }: { belowId: string | undefined; limit: number },
    nowMs: number,
  ): Promise<(GrantRow & { readonly name: string; readonly owner_id: string })[]> {
    let query = this.database.query
      .selectFrom('grants')
      .innerJoin('secrets', 'secrets.id', 'grants.secret_id')
      .innerJoin('users as owner', 'owner.id', 'secrets.owner_id')
      .selectAll('grants')
      .select(['secrets.name', 'secrets.owner_id'])
      .where('recipient_id', '=', recipientId)
      .where('owner.disabled_at', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', nowMs)]));
    if (belowId !== undefined) query = query.where('grants.id', '<', belowId);
    return query
      .orderBy('grants.id', 'desc')
      .limit(limit + 1)
      .execute();
  }

  /**
   * That the grant is in force, its owner enabled and the version readable is decided in the statement that hands the
   * ciphertext out.
   */
  async findGranted(recipientId: string, id: string, nowMs: number): Promise<GrantedVersion | undefined> {
    return this.database.query
      .selectFrom('grants')
      .innerJoin('secrets', 'secrets.id', 'grants.secret_id')
      .innerJoin('secret_versions', (join) =>
        join
          .onRef('secret_versions.secret_id', '=', 'secrets.id')
          .on((on) =>
            on('secret_versions.version', '=', on.fn.coalesce('grants.version', 'secrets.latest_version')),
          ),
      )
      .innerJoin('users as owner', 'owner.id', 'secrets.owner_id')
      .select(readableColumns(nowMs))
      .select('secrets.owner_id')
      .where('owner.disabled_at', 'is', null)
      .where('grants.id', '=', id)
      .where('grants.recipient_id', '=', recipientId)
      .where((where) =>
        where.or([where('grants.expires_at', 'is', null), where('grants.expires_at', '>', nowMs)]),
      )
      .executeTakeFirst();
  }
}
