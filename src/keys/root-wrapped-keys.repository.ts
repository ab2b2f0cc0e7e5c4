import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { keyPurposes, SYSTEM_OWNER } from './key-purposes.js';
import { type KeyRow } from './keys.repository.js';

const ROOT_WRAPPED = Object.entries(keyPurposes)
  .filter(([, { wrappedBy }]) => wrappedBy.user === 'root' || wrappedBy.system === 'root')
  .map(([name]) => name);

export type RootWrappedKey = Pick<KeyRow, 'id' | 'parent_id' | 'owner_id' | 'purpose' | 'suite'> & {
  readonly wrapped: Uint8Array;
};

/** The keys that a root key wraps. */
@Injectable()
export class RootWrappedKeysRepository {
  constructor(private readonly database: Database) {}

  /** The ids of the root keys that wrap something. */
  async findRootIds(): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('parent_id')
      .distinct()
      .where('purpose', 'in', ROOT_WRAPPED)
      .where('wrapped', 'is not', null)
      .execute();
    return rows.map((row) => row.parent_id);
  }

  /** The root key of the system's oldest key: promoting a root key moves that one, whatever came later. */
  async findRootIdInUse(): Promise<string | undefined> {
    const row = await this.database.query
      .selectFrom('keys')
      .select('parent_id')
      .where('owner_id', '=', SYSTEM_OWNER)
      .where('purpose', 'in', ROOT_WRAPPED)
      .where('wrapped', 'is not', null)
      .orderBy('created_at')
      .orderBy('id')
      .executeTakeFirst();
    return row?.parent_id;
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
}
