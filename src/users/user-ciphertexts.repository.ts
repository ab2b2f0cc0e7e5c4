import { Injectable } from '@nestjs/common';
import { type Selectable } from 'kysely';
import { blindIndexRange } from '../crypto/blind-index.js';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

type UserRow = Selectable<Schema['users']>;
type IndexedUser = Pick<UserRow, 'id' | 'email_ciphertext' | 'email_index'>;

export type EncryptedUserColumn = 'email' | 'password';

export interface EncryptedUserValue {
  readonly id: string;
  readonly ciphertext: Uint8Array;
}

/** Users by the key that one of their columns is under, for a rotation only. */
@Injectable()
export class UserCiphertextsRepository {
  constructor(private readonly database: Database) {}

  async count(column: EncryptedUserColumn, keyId: string): Promise<number> {
    const row = await this.database.query
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where(`${column}_key_id`, '=', keyId)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  async find(column: EncryptedUserColumn, keyId: string, limit: number): Promise<EncryptedUserValue[]> {
    return this.database.query
      .selectFrom('users')
      .select(['id', `${column}_ciphertext as ciphertext`])
      .where(`${column}_key_id`, '=', keyId)
      .limit(limit)
      .execute();
  }

  /** Unless the value was written since, as a password hash is at a login: no two ciphertexts are equal. */
  async replace(
    column: EncryptedUserColumn,
    before: EncryptedUserValue,
    { ciphertext, keyId }: { readonly ciphertext: Uint8Array; readonly keyId: string },
  ): Promise<void> {
    await this.database.query
      .updateTable('users')
      .set(`${column}_ciphertext`, ciphertext)
      .set(`${column}_key_id`, keyId)
      .where('id', '=', before.id)
      .where(`${column}_ciphertext`, '=', before.ciphertext)
      .execute();
  }

  async countIndexes(version: number): Promise<number> {
    const { from, to } = blindIndexRange(version);
    const row = await this.database.query
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('email_index', '>=', from)
      .where('email_index', '<=', to)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  async findIndexes(version: number, limit: number): Promise<IndexedUser[]> {
    const { from, to } = blindIndexRange(version);
    return this.database.query
      .selectFrom('users')
      .select(['id', 'email_ciphertext', 'email_index'])
      .where('email_index', '>=', from)
      .where('email_index', '<=', to)
      .limit(limit)
      .execute();
  }

  /**
   * Unless the address was changed or the user deleted since.
   *
   * @returns the id of another user who has this index already; then nothing is changed
   */
  async replaceIndex(before: IndexedUser, emailIndex: Uint8Array): Promise<string | undefined> {
    const { query } = this.database;
    const other = await query
      .selectFrom('users')
      .select('id')
      .where('email_index', '=', emailIndex)
      .where('id', '!=', before.id)
      .executeTakeFirst();
    if (other) return other.id;
    await query
      .updateTable('users')
      .set({ email_index: emailIndex })
      .where('id', '=', before.id)
      .where('email_index', '=', before.email_index)
      .execute();
    return undefined;
  }
}
