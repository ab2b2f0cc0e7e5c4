import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type UserRow = Selectable<Schema['users']>;

@Injectable()
export class UsersRepository {
  readonly #findByEmailIndex;

  constructor(private readonly database: Database) {
    this.#findByEmailIndex = database.prepare((query, index: Uint8Array) =>
      query.selectFrom('users').selectAll().where('email_index', '=', index),
    );
  }

  async find(id: string): Promise<UserRow | undefined> {
    return this.database.query.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /**
   * @param indexes - newest key first. They are looked up the other way round: a rotation that moves the row meanwhile
   *   moves it to where it is looked for next
   */
  async findByEmailIndexes(indexes: readonly Uint8Array[]): Promise<UserRow | undefined> {
    for (const index of indexes.toReversed()) {
      const [row] = await this.#findByEmailIndex(index);
      if (row) return row;
    }
    return undefined;
  }

  /**
   * Makes others who register an address under one of these indexes wait for the surrounding transaction, so
   * that they find what it inserts. On SQLite there is one writer at a time anyway.
   */
  async lockEmailIndexes(indexes: readonly Uint8Array[]): Promise<void> {
    if (this.database.kind !== 'postgres') return;
    // In one order for all, or two could wait for each other. An advisory lock is a number of 64 bits, and two
    // addresses that share one would only wait needlessly.
    for (const index of indexes.toSorted((a, b) => Buffer.compare(a, b))) {
      const lock = Buffer.from(index)
        .readBigInt64BE(index.length - 8)
        .toString();
      await sql`select pg_advisory_xact_lock(${lock}::bigint)`.execute(this.database.query);
    }
  }

  /** @returns false when the e-mail address is taken */
  async insert(row: Insertable<Schema['users']>): Promise<boolean> {
    const inserted = await this.database.query
      .insertInto('users')
      .values(row)
      .onConflict((conflict) => conflict.column('email_index').doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }

  /** @returns false when the password is not the one of that time any more */
  async replacePassword(
    id: string,
    password: { ciphertext: Uint8Array; keyId: string },
    { before, changedAtMs }: { before: number; changedAtMs: number },
  ): Promise<boolean> {
    const row = await this.database.query
      .updateTable('users')
      .set({ password_ciphertext: password.ciphertext, password_key_id: password.keyId })
      .set({ password_changed_at: changedAtMs })
      .where('id', '=', id)
      .where('password_changed_at', '=', before)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Stores another hash of the same password, unless the password was changed since that time. */
  async rehashPassword(
    id: string,
    password: { ciphertext: Uint8Array; keyId: string },
    changedAtMs: number,
  ): Promise<void> {
    await this.database.query
      .updateTable('users')
      .set({ password_ciphertext: password.ciphertext, password_key_id: password.keyId })
      .where('id', '=', id)
      .where('password_changed_at', '=', changedAtMs)
      .execute();
  }
}
