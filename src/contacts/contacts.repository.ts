import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

type ContactRow = Selectable<Schema['contacts']>;
type Encrypted = Pick<ContactRow, 'ciphertext' | 'key_id' | 'email_index'>;

/** A row without what is only there to be searched. */
export type StoredContact = Omit<ContactRow, 'key_id' | 'email_index'>;

/** Every query names the owner, so nobody reaches a row of somebody else. */
@Injectable()
export class ContactsRepository {
  readonly #find;

  constructor(private readonly database: Database) {
    this.#find = database.prepare((query, id: string, ownerId: string) =>
      query
        .selectFrom('contacts')
        // The hot path: a column that the caller knows already would cost a microsecond to read back.
        .select(['ciphertext', 'version', 'created_at', 'updated_at'])
        .where('id', '=', id)
        .where('owner_id', '=', ownerId),
    );
  }

  async find(id: string, ownerId: string): Promise<StoredContact | undefined> {
    const [row] = await this.#find(id, ownerId);
    if (!row) return undefined;
    // Named one by one: spreading a row of the driver costs as much as reading it.
    const { ciphertext, version, created_at, updated_at } = row;
    return { id, owner_id: ownerId, ciphertext, version, created_at, updated_at };
  }

  async insert(row: Insertable<Schema['contacts']>): Promise<void> {
    await this.database.insert('contacts', row);
  }

  /**
   * Replaces the contents if the contact is still at `version`, which the statement itself checks.
   *
   * @returns false when it is not
   */
  async update(
    { id, owner_id: ownerId, version }: Pick<StoredContact, 'id' | 'owner_id' | 'version'>,
    encrypted: Encrypted,
    nowMs: number,
  ): Promise<boolean> {
    const row = await this.database.query
      .updateTable('contacts')
      .set({ ...encrypted, version: version + 1, updated_at: nowMs })
      .where('id', '=', id)
      .where('owner_id', '=', ownerId)
      .where('version', '=', version)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** @returns false when the contact is gone or no longer at one of `versions`, where given */
  async delete(id: string, ownerId: string, versions: readonly number[] | undefined): Promise<boolean> {
    let query = this.database.query
      .deleteFrom('contacts')
      .where('id', '=', id)
      .where('owner_id', '=', ownerId);
    if (versions) query = query.where('version', 'in', versions);
    return (await query.returning('id').executeTakeFirst()) !== undefined;
  }

  /** In the order of ids, so oldest first; one row more than `limit` tells that there is a next page. */
  async list(
    ownerId: string,
    page: { readonly limit: number; readonly afterId: string | undefined },
    emailIndexes: readonly Uint8Array[] | undefined,
  ): Promise<StoredContact[]> {
    let query = this.database.query.selectFrom('contacts').selectAll().where('owner_id', '=', ownerId);
    if (emailIndexes) query = query.where('email_index', 'in', emailIndexes);
    if (page.afterId !== undefined) query = query.where('id', '>', page.afterId);
    return query
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
  }
}
