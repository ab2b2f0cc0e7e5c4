import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

type VersionRow = Selectable<Schema['secret_versions']>;
export type VersionFacts = Pick<
  VersionRow,
  'version' | 'created_at' | 'expires_at' | 'deleted_at' | 'destroyed_at'
>;

/** What a version can be read or emptied by. */
export type KeyedVersion = Pick<VersionRow, 'secret_id' | 'version' | 'key_id'>;

/** A version with its secret. `ciphertext` is null when it may not be read. */
export interface ReadableVersion extends VersionFacts {
  readonly secret_id: string;
  readonly name: string;
  readonly metadata: string;
  readonly metadata_revision: number;
  readonly latest_version: number;
  readonly ciphertext: Uint8Array | null;
}

const FACTS = ['version', 'created_at', 'expires_at', 'deleted_at', 'destroyed_at'] as const;
const EMPTY = { key_id: '', ciphertext: new Uint8Array() } as const;

@Injectable()
export class SecretVersionsRepository {
  readonly #findLatest;
  readonly #findOne;

  constructor(private readonly database: Database) {
    this.#findLatest = database.prepare((query, ownerId: string, name: string, nowMs: number) =>
      readable(query, ownerId, name, nowMs).whereRef(
        'secret_versions.version',
        '=',
        'secrets.latest_version',
      ),
    );
    this.#findOne = database.prepare((query, ownerId: string, name: string, nowMs: number, version: number) =>
      readable(query, ownerId, name, nowMs).where('secret_versions.version', '=', version),
    );
  }

  /**
   * Expiry, deletion and destruction are decided inside the statement that hands the ciphertext out.
   *
   * @param version - the latest when absent
   */
  async findReadable(
    ownerId: string,
    name: string,
    version: number | undefined,
    nowMs: number,
  ): Promise<ReadableVersion | undefined> {
    const [row] =
      version === undefined
        ? await this.#findLatest(ownerId, name, nowMs)
        : await this.#findOne(ownerId, name, nowMs, version);
    return row;
  }

  async insert(row: Insertable<Schema['secret_versions']>): Promise<void> {
    await this.database.insert('secret_versions', row);
  }

  /** Newest first; one row more than `limit` tells that there is a next page. */
  async list(
    secretId: string,
    { belowVersion, limit }: { belowVersion: number | undefined; limit: number },
  ): Promise<VersionFacts[]> {
    let query = this.database.query
      .selectFrom('secret_versions')
      .select(FACTS)
      .where('secret_id', '=', secretId);
    if (belowVersion !== undefined) query = query.where('version', '<', belowVersion);
    return query
      .orderBy('version', 'desc')
      .limit(limit + 1)
      .execute();
  }

  /** Those of the versions that are there, newest first, locked until the surrounding transaction ends. */
  async findForUpdate(
    secretId: string,
    versions: readonly number[],
  ): Promise<(VersionFacts & KeyedVersion)[]> {
    const query = this.database.query
      .selectFrom('secret_versions')
      .select([...FACTS, 'secret_id', 'key_id'])
      .where('secret_id', '=', secretId)
      .where('version', 'in', versions)
      .orderBy('version', 'desc');
    return (this.database.kind === 'postgres' ? query.forUpdate() : query).execute();
  }

  /** Versions up to this one that still have their key, locked likewise. */
  async findKeyedUpTo(secretId: string, version: number): Promise<KeyedVersion[]> {
    const query = this.database.query
      .selectFrom('secret_versions')
      .select(['secret_id', 'version', 'key_id'])
      .where('secret_id', '=', secretId)
      .where('version', '<=', version)
      .where('key_id', '!=', '');
    return (this.database.kind === 'postgres' ? query.forUpdate() : query).execute();
  }

  /** Versions whose time is over and that still have their key; those that somebody else has locked are left. */
  async findExpired(nowMs: number, limit: number): Promise<KeyedVersion[]> {
    const query = this.database.query
      .selectFrom('secret_versions')
      .select(['secret_id', 'version', 'key_id'])
      .where('expires_at', '<=', nowMs)
      .where('key_id', '!=', '')
      .limit(limit);
    return (this.database.kind === 'postgres' ? query.forUpdate().skipLocked() : query).execute();
  }

  /** Sets the time of deletion or takes it away. */
  async mark(secretId: string, versions: readonly number[], deletedAtMs: number | null): Promise<void> {
    if (versions.length === 0) return;
    await this.database.query
      .updateTable('secret_versions')
      .set({ deleted_at: deletedAtMs })
      .where('secret_id', '=', secretId)
      .where('version', 'in', versions)
      .execute();
  }

  /** @param destroyedAtMs - null where the expiry alone says why the version is empty */
  async empty({ secret_id: secretId, version }: KeyedVersion, destroyedAtMs: number | null): Promise<void> {
    await this.database.query
      .updateTable('secret_versions')
      .set({ ...EMPTY, ...(destroyedAtMs === null ? {} : { destroyed_at: destroyedAtMs }) })
      .where('secret_id', '=', secretId)
      .where('version', '=', version)
      .execute();
  }
}

function readable(query: Database['query'], ownerId: string, name: string, nowMs: number) {
  return query
    .selectFrom('secrets')
    .innerJoin('secret_versions', 'secret_versions.secret_id', 'secrets.id')
    .select(readableColumns(nowMs))
    .where('secrets.owner_id', '=', ownerId)
    .where('secrets.name', '=', name);
}

/** Of a join of both tables: what `ReadableVersion` is made of. */
export function readableColumns(nowMs: number) {
  return [
    'secrets.id as secret_id',
    'secrets.name',
    'secrets.metadata',
    'secrets.metadata_revision',
    'secrets.latest_version',
    'secret_versions.version',
    'secret_versions.created_at',
    'secret_versions.expires_at',
    'secret_versions.deleted_at',
    'secret_versions.destroyed_at',
    sql<Uint8Array | null>`
        case when deleted_at is null and destroyed_at is null
          and (secret_versions.expires_at is null or secret_versions.expires_at > ${nowMs})
        then ciphertext end
      `.as('ciphertext'),
  ] as const;
}

export function numbersOf(versions: readonly KeyedVersion[]): number[] {
  return versions.map(({ version }) => version);
}
