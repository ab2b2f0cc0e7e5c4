import { Injectable } from '@nestjs/common';
import { type Insertable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';
import { keyPurposes, ROOT_PURPOSE, SYSTEM_OWNER } from './key-purposes.js';
import { type KeyRow } from './keys.repository.js';

const ROOT_WRAPPED = Object.entries(keyPurposes)
  .filter(([, { wrappedBy }]) => wrappedBy.user === 'root' || wrappedBy.system === 'root')
  .map(([name]) => name);

export type RootWrappedKey = Pick<KeyRow, 'id' | 'parent_id' | 'owner_id' | 'purpose' | 'suite'> & {
  readonly wrapped: Uint8Array;
};

/** Root keys, as far as the database knows them, and the keys that they wrap. */
@Injectable()
export class RootWrappedKeysRepository {
  constructor(private readonly database: Database) {}

  /** The ids of the root keys that wrap something, and of the primary one. */
  async findRootIds(): Promise<string[]> {
    const { query } = this.database;
    const rows = await query
      .selectFrom('keys')
      .select('parent_id as id')
      .where('purpose', 'in', ROOT_WRAPPED)
      .where('wrapped', 'is not', null)
      .union(
        query
          .selectFrom('keys')
          .select('id')
          .where('purpose', '=', ROOT_PURPOSE)
          .where('state', '=', 'PRIMARY'),
      )
      .execute();
    return rows.map(({ id }) => id);
  }

  /** The root key that new keys are put under. */
  async findPrimaryId(): Promise<string | undefined> {
    const [id] = await this.#findRootIds('PRIMARY');
    return id;
  }

  /** Those that were given up. */
  async findDestroyedIds(): Promise<string[]> {
    return this.#findRootIds('DESTROYED');
  }

  /** @returns undefined for one that the database never had */
  async findRootState(id: string): Promise<KeyRow['state'] | undefined> {
    const row = await this.database.query
      .selectFrom('keys')
      .select('state')
      .where('id', '=', id)
      .where('purpose', '=', ROOT_PURPOSE)
      .executeTakeFirst();
    return row?.state;
  }

  /** Makes a root key the primary one unless there is one, whoever is first. */
  async adopt(id: string, nowMs: number): Promise<void> {
    await this.database.query
      .insertInto('keys')
      .values(this.#rootRow(id, nowMs))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  /**
   * Makes a root key the primary one in place of another, in the surrounding transaction. Whoever is putting a key
   * under that one is waited for, and nobody can any more: what the transaction then finds under it is all there
   * will ever be.
   */
  async makePrimary(id: string, nowMs: number): Promise<void> {
    const { query } = this.database;
    await query
      .updateTable('keys')
      .set({ state: 'DECRYPT_ONLY' })
      .where('owner_id', '=', SYSTEM_OWNER)
      .where('purpose', '=', ROOT_PURPOSE)
      .where('state', '=', 'PRIMARY')
      .where('id', '!=', id)
      .execute();
    await query
      .insertInto('keys')
      .values(this.#rootRow(id, nowMs))
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet({ state: 'PRIMARY', activated_at: nowMs, destroyed_at: null })
          .where('keys.state', '!=', 'PRIMARY'),
      )
      .execute();
  }

  /** @returns false for one that is primary, destroyed already or unknown, or that something is under */
  async destroyRoot(id: string, nowMs: number): Promise<boolean> {
    const row = await this.database.query
      .updateTable('keys')
      .set({ state: 'DESTROYED', destroyed_at: nowMs })
      .where('id', '=', id)
      .where('purpose', '=', ROOT_PURPOSE)
      .where('state', '=', 'DECRYPT_ONLY')
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
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** A root key has a row as every key has, but what it wraps with is elsewhere. */
  #rootRow(id: string, nowMs: number): Insertable<Schema['keys']> {
    return {
      id,
      parent_id: '',
      owner_id: SYSTEM_OWNER,
      purpose: ROOT_PURPOSE,
      suite: 'root',
      // One more than any before it.
      version: sql<number>`(
        select coalesce(max(version), 0) + 1 from keys where owner_id = ${SYSTEM_OWNER} and purpose = ${ROOT_PURPOSE}
      )` as unknown as number,
      state: 'PRIMARY',
      wrapped: null,
      created_at: nowMs,
      activated_at: nowMs,
      not_after: null,
      destroyed_at: null,
    };
  }

  async find(rootId: string, limit: number): Promise<RootWrappedKey[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select(['id', 'parent_id', 'owner_id', 'purpose', 'suite', 'wrapped'])
      .where('parent_id', '=', rootId)
      .where('wrapped', 'is not', null)
      .limit(limit)
      .execute();
    return rows.flatMap(({ wrapped, ...row }) => (wrapped ? [{ ...row, wrapped }] : []));
  }

  async count(rootId: string): Promise<number> {
    const { count } = await this.database.query
      .selectFrom('keys')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('parent_id', '=', rootId)
      .where('wrapped', 'is not', null)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** @returns false when the key was destroyed or moved to another root key meanwhile; it is left alone then */
  async move(id: string, from: string, to: string, wrapped: Uint8Array): Promise<boolean> {
    const { numUpdatedRows } = await this.database.query
      .updateTable('keys')
      .set({ parent_id: to, wrapped })
      .where('id', '=', id)
      .where('parent_id', '=', from)
      .where('wrapped', 'is not', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  async #findRootIds(state: KeyRow['state']): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('id')
      .where('owner_id', '=', SYSTEM_OWNER)
      .where('purpose', '=', ROOT_PURPOSE)
      .where('state', '=', state)
      .execute();
    return rows.map(({ id }) => id);
  }
}
