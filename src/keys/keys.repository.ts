import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type KeyRow = Selectable<Schema['keys']>;

@Injectable()
export class KeysRepository {
  constructor(private readonly database: Database) {}

  async find(id: string): Promise<KeyRow | undefined> {
    return this.database.query.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async findPrimaryId(ownerId: string, purpose: string): Promise<string | undefined> {
    const row = await this.database.query
      .selectFrom('keys')
      .select('id')
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', '=', 'PRIMARY')
      .executeTakeFirst();
    return row?.id;
  }

  /** Ids of an owner's keys that may still be used, newest version first. */
  async findUsableIds(ownerId: string, purpose: string): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('id')
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', 'in', ['PENDING', 'PRIMARY', 'DECRYPT_ONLY'])
      .orderBy('version', 'desc')
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

  /** The ids of the root keys that wrap something. */
  async findRootIds(rootPurposes: readonly string[]): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('parent_id')
      .distinct()
      .where('purpose', 'in', rootPurposes)
      .where('wrapped', 'is not', null)
      .execute();
    return rows.map((row) => row.parent_id);
  }

  /** @returns false when the owner has a primary key for the purpose already */
  async insert(row: Insertable<Schema['keys']>): Promise<boolean> {
    const inserted = await this.database.query
      .insertInto('keys')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }
}
