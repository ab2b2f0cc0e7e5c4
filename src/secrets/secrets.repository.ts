import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type SecretRow = Selectable<Schema['secrets']>;
type SecretVersionRow = Selectable<Schema['secret_versions']>;
type VersionFacts = Pick<SecretVersionRow, 'version' | 'created_at' | 'expires_at' | 'deleted_at'>;

/** A version with its secret. `ciphertext` is null when it may not be read. */
export interface ReadableVersion extends VersionFacts {
  readonly secret_id: string;
  readonly name: string;
  readonly metadata: string;
  readonly ciphertext: Uint8Array | null;
}

export interface ListedSecret extends VersionFacts {
  readonly name: string;
  readonly metadata: string;
  readonly updated_at: number;
}

/** The last character a name can have is `z`, so `~` is above every continuation of a prefix. */
const ABOVE_NAME_CHARACTERS = '~';

@Injectable()
export class SecretsRepository {
  constructor(private readonly database: Database) {}

  /** The secret, locked until the surrounding transaction ends (SQLite has one writer at a time anyway). */
  async findForUpdate(ownerId: string, name: string): Promise<SecretRow | undefined> {
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
    changes: Pick<SecretRow, 'latest_version' | 'metadata' | 'cas_required' | 'updated_at'>,
  ): Promise<void> {
    await this.database.query.updateTable('secrets').set(changes).where('id', '=', id).execute();
  }

  async insertVersion(row: Insertable<Schema['secret_versions']>): Promise<void> {
    await this.database.query.insertInto('secret_versions').values(row).execute();
  }

  /** Expiry and deletion are decided inside the statement that hands the ciphertext out. */
  async findVersion(
    ownerId: string,
    name: string,
    version: number | undefined,
    nowMs: number,
  ): Promise<ReadableVersion | undefined> {
    return this.database.query
      .selectFrom('secrets')
      .innerJoin('secret_versions', 'secret_versions.secret_id', 'secrets.id')
      .select([
        'secrets.id as secret_id',
        'secrets.name',
        'secrets.metadata',
        'secret_versions.version',
        'secret_versions.created_at',
        'secret_versions.expires_at',
        'secret_versions.deleted_at',
        (column) =>
          column
            .case()
            .when(
              column.and([
                column('deleted_at', 'is', null),
                column.or([column('expires_at', 'is', null), column('expires_at', '>', nowMs)]),
              ]),
            )
            .then(column.ref('ciphertext'))
            .else(null)
            .end()
            .as('ciphertext'),
      ])
      .where('secrets.owner_id', '=', ownerId)
      .where('secrets.name', '=', name)
      .where('secret_versions.version', '=', version ?? sql.ref<number>('secrets.latest_version'))
      .executeTakeFirst();
  }

  /** By name, each with its latest version; one row more than `limit` tells that there is a next page. */
  async list(
    ownerId: string,
    { prefix, afterName, limit }: { prefix: string; afterName: string | undefined; limit: number },
  ): Promise<ListedSecret[]> {
    let query = this.database.query
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
        'secret_versions.created_at',
        'secret_versions.expires_at',
        'secret_versions.deleted_at',
      ])
      .where('secrets.owner_id', '=', ownerId);
    if (prefix !== '') {
      query = query.where('name', '>=', prefix).where('name', '<', prefix + ABOVE_NAME_CHARACTERS);
    }
    if (afterName !== undefined) query = query.where('name', '>', afterName);
    return query
      .orderBy('secrets.name')
      .limit(limit + 1)
      .execute();
  }

  /** Newest first; one row more than `limit` tells that there is a next page. */
  async listVersions(
    secretId: string,
    { belowVersion, limit }: { belowVersion: number | undefined; limit: number },
  ): Promise<VersionFacts[]> {
    let query = this.database.query
      .selectFrom('secret_versions')
      .select(['version', 'created_at', 'expires_at', 'deleted_at'])
      .where('secret_id', '=', secretId);
    if (belowVersion !== undefined) query = query.where('version', '<', belowVersion);
    return query
      .orderBy('version', 'desc')
      .limit(limit + 1)
      .execute();
  }

  async find(ownerId: string, name: string): Promise<SecretRow | undefined> {
    return this.database.query
      .selectFrom('secrets')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .where('name', '=', name)
      .executeTakeFirst();
  }

  async countVersions(secretId: string, versions: readonly number[]): Promise<number> {
    const row = await this.database.query
      .selectFrom('secret_versions')
      .select((column) => column.fn.countAll<number>().as('count'))
      .where('secret_id', '=', secretId)
      .where('version', 'in', versions)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  /** Marks versions as deleted; those that are already keep their time. */
  async softDelete(secretId: string, versions: readonly number[], nowMs: number): Promise<void> {
    await this.database.query
      .updateTable('secret_versions')
      .set({ deleted_at: nowMs })
      .where('secret_id', '=', secretId)
      .where('version', 'in', versions)
      .where('deleted_at', 'is', null)
      .execute();
  }
}
