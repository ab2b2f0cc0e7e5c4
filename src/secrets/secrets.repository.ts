import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { lockOwner } from '../database/lock-owner.js';
import { type Schema } from '../database/schema.js';

export type SecretRow = Selectable<Schema['secrets']>;
type VersionRow = Selectable<Schema['secret_versions']>;

export interface ListedSecret
  extends
    Pick<SecretRow, 'name' | 'metadata' | 'updated_at'>,
    Pick<VersionRow, 'version' | 'expires_at' | 'deleted_at' | 'destroyed_at'> {}

/** Names are made of characters from `-` to `z`: these two are below and above every continuation of one. */
const BELOW_NAME_CHARACTERS = ' ';
const ABOVE_NAME_CHARACTERS = '~';

/** The names and what holds for all versions of one. */
@Injectable()
export class SecretsRepository {
  readonly #list;

  constructor(private readonly database: Database) {
    this.#list = database.prepare((query, ownerId: string, first: string, end: string, limit: number) =>
      query
        .selectFrom('secrets')
        .innerJoin('secret_versions', (join) =>
          join
            .onRef('secret_versions.secret_id', '=', 'secrets.id')
            .onRef('secret_versions.version', '=', 'secrets.latest_version'),
        )
        .select([
          'secrets.name',
          'secrets.metadata',
          'secrets.updated_at',
          'secret_versions.version',
          'secret_versions.expires_at',
          'secret_versions.deleted_at',
          'secret_versions.destroyed_at',
        ])
        .where('secrets.owner_id', '=', ownerId)
        .where('secrets.name', '>=', first)
        .where('secrets.name', '<', end)
        .orderBy('secrets.name')
        .limit(limit),
    );
  }

  async find(ownerId: string, name: string): Promise<SecretRow | undefined> {
    return this.database.query
      .selectFrom('secrets')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .where('name', '=', name)
      .executeTakeFirst();
  }

  /**
   * The secret, locked until the surrounding transaction ends (SQLite has one writer at a time anyway), its owner before
   * it: whoever deletes them locks the two in this order.
   */
  async findForUpdate(ownerId: string, name: string): Promise<SecretRow | undefined> {
    await lockOwner(this.database, ownerId);
    const query = this.database.query
      .selectFrom('secrets')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .where('name', '=', name);
    return (this.database.kind === 'postgres' ? query.forUpdate() : query).executeTakeFirst();
  }

  /** @returns false when the owner has a secret of this name */
  async insert(row: Insertable<Schema['secrets']>): Promise<boolean> {
    const inserted = await this.database.query
      .insertInto('secrets')
      .values(row)
      .onConflict((conflict) => conflict.columns(['owner_id', 'name']).doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }

  async update(
    id: string,
    changes: Pick<SecretRow, 'metadata' | 'metadata_revision' | 'updated_at'> &
      Partial<Pick<SecretRow, 'latest_version' | 'cas_required'>>,
  ): Promise<void> {
    await this.database.query.updateTable('secrets').set(changes).where('id', '=', id).execute();
  }

  /** By name, each with its latest version; one row more than `limit` tells that there is a next page. */
  async list(
    ownerId: string,
    { prefix, afterName, limit }: { prefix: string; afterName: string | undefined; limit: number },
  ): Promise<ListedSecret[]> {
    const afterCursor = afterName === undefined ? '' : afterName + BELOW_NAME_CHARACTERS;
    const first = afterCursor > prefix ? afterCursor : prefix;
    return this.#list(ownerId, first, prefix + ABOVE_NAME_CHARACTERS, limit + 1);
  }
}
