import { Injectable } from '@nestjs/common';
import { type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type PublicKeyRow = Selectable<Schema['public_keys']>;

/** The public keys whose private half never was here, at most one a user. */
@Injectable()
export class PublicKeysRepository {
  constructor(private readonly database: Database) {}

  async find(ownerId: string): Promise<PublicKeyRow | undefined> {
    return this.database.query
      .selectFrom('public_keys')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .executeTakeFirst();
  }

  /** In the place of the owner's key before. */
  async put(row: PublicKeyRow): Promise<void> {
    const { owner_id: _ownerId, ...changes } = row;
    await this.database.query
      .insertInto('public_keys')
      .values(row)
      .onConflict((conflict) => conflict.column('owner_id').doUpdateSet(changes))
      .execute();
  }
}
