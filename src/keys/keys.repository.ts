import { Injectable } from '@nestjs/common';
import { type Selectable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { lockOwner } from '../database/lock-owner.js';
import { type Schema } from '../database/schema.js';
import { ROOT_PURPOSE, SYSTEM_OWNER } from './key-purposes.js';

export type KeyRow = Selectable<Schema['keys']>;

@Injectable()
export class KeysRepository {
  readonly #find;
  readonly #findPrimaryId;

  constructor(private readonly database: Database) {
    this.#find = database.prepare((query, id: string) =>
      query.selectFrom('keys').selectAll().where('id', '=', id),
    );
    this.#findPrimaryId = database.prepare((query, ownerId: string, purpose: string) =>
      query
        .selectFrom('keys')
        .select('id')
        .where('owner_id', '=', ownerId)
        .where('purpose', '=', purpose)
        // As a parameter, SQLite would plan the statement anew each time to see whether `keys_primary` serves it.
        .where('state', '=', sql.lit('PRIMARY')),
    );
  }

  async find(id: string): Promise<KeyRow | undefined> {
    const [row] = await this.#find(id);
    return row;
  }

  async findPrimaryId(ownerId: string, purpose: string): Promise<string | undefined> {
    const [row] = await this.#findPrimaryId(ownerId, purpose);
    return row?.id;
  }

  /** Ids of an owner's keys in one of the states, newest version first. */
  async findIds(ownerId: string, purpose: string, states: readonly KeyRow['state'][]): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('id')
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', 'in', states)
      .orderBy('version', 'desc')
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Whether it is a key of somebody whose account is deleted: their KEKs have ended with it. */
  async isOfDeletedOwner(id: string): Promise<boolean> {
    const key = await this.find(id);
    if (key?.state !== 'DESTROYED' || key.owner_id === SYSTEM_OWNER) return false;
    const living = await this.database.query
      .selectFrom('keys')
      .select('id')
      .where('owner_id', '=', key.owner_id)
      .where('purpose', '=', 'user-kek')
      .where('state', '!=', 'DESTROYED')
      .executeTakeFirst();
    return living === undefined;
  }

  /** Those of the ids whose keys may still be used. */
  async findUsableIds(ids: readonly string[], nowMs: number): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('id')
      .where('id', 'in', ids)
      .where('state', 'not in', ['DISABLED', 'DESTROYED'])
      .where('wrapped', 'is not', null)
      .where((where) => where.or([where('not_after', 'is', null), where('not_after', '>', nowMs)]))
      .execute();
    return rows.map(({ id }) => id);
  }

  /** The highest version that an owner's keys of a purpose ever had, 0 for none. */
  async findLatestVersion(ownerId: string, purpose: string): Promise<number> {
    const row = await this.database.query
      .selectFrom('keys')
      .select('version')
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.version ?? 0;
  }

  /**
   * Adds a key, only while the one that wraps it may wrap, which the statement itself checks: so nothing is ever put
   * under a key that is being destroyed, nor under a root key once another was promoted.
   *
   * @returns false when the owner has a primary key for the purpose already, or the wrapping key may not wrap
   */
  async insert(row: KeyRow): Promise<boolean> {
    const { query, kind } = this.database;
    await lockOwner(this.database, row.owner_id);
    const columns = Object.keys(row) as (keyof KeyRow)[];
    const inserted = await query
      .insertInto('keys')
      .columns(columns)
      .expression((from) => {
        const parent = from
          .selectFrom('keys as parent')
          .select(columns.map((column) => sql<KeyRow[typeof column]>`${row[column]}`.as(column)))
          .where('parent.id', '=', row.parent_id)
          .where((where) =>
            where.or([
              where('parent.state', '=', 'PRIMARY'),
              // A retired KEK may wrap for a moment more: its job begins later. A retired root key has no job.
              where.and([
                where('parent.state', '=', 'DECRYPT_ONLY'),
                where('parent.purpose', '!=', ROOT_PURPOSE),
              ]),
            ]),
          );
        // Until this transaction ends, the parent stays as it is. SQLite has one writer at a time anyway.
        return kind === 'postgres' ? parent.forShare() : parent;
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }
}
