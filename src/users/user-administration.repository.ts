import { Injectable } from '@nestjs/common';
import { type Selectable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

type UserRow = Selectable<Schema['users']>;
export type AdministeredUserRow = Pick<
  UserRow,
  'id' | 'email_ciphertext' | 'roles' | 'created_at' | 'disabled_at'
>;

const COLUMNS = ['id', 'email_ciphertext', 'roles', 'created_at', 'disabled_at'] as const;

/** Users of whatever id, for administrators and for the end of an account. */
@Injectable()
export class UserAdministrationRepository {
  constructor(private readonly database: Database) {}

  /** In the order of ids, so oldest first; one row more than `limit` tells that there is a next page. */
  async list(
    page: { readonly limit: number; readonly afterId: string | undefined },
    emailIndexes: readonly Uint8Array[] | undefined,
  ): Promise<AdministeredUserRow[]> {
    let query = this.database.query.selectFrom('users').select(COLUMNS);
    if (emailIndexes) query = query.where('email_index', 'in', emailIndexes);
    if (page.afterId !== undefined) query = query.where('id', '>', page.afterId);
    return query
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
  }

  /** The user, locked until the surrounding transaction ends (SQLite has one writer at a time anyway). */
  async findForUpdate(id: string): Promise<AdministeredUserRow | undefined> {
    const query = this.database.query.selectFrom('users').select(COLUMNS).where('id', '=', id);
    return (this.database.kind === 'postgres' ? query.forUpdate() : query).executeTakeFirst();
  }

  /**
   * The enabled administrators, all locked in one order: two who demote each other must not both succeed. Rows that
   * name one, such as grants, can be written meanwhile.
   */
  async findAdministratorsForUpdate(): Promise<string[]> {
    const query = this.database.query
      .selectFrom('users')
      .select('id')
      .where('disabled_at', 'is', null)
      .where(sql<string>`' ' || roles || ' '`, 'like', '% admin %')
      .orderBy('id');
    const rows = await (this.database.kind === 'postgres' ? query.forNoKeyUpdate() : query).execute();
    return rows.map(({ id }) => id);
  }

  async update(id: string, changes: Pick<UserRow, 'roles' | 'disabled_at'>): Promise<void> {
    await this.database.query.updateTable('users').set(changes).where('id', '=', id).execute();
  }

  /** With all rows of theirs in every table. */
  async delete(id: string): Promise<void> {
    await this.database.query.deleteFrom('users').where('id', '=', id).execute();
  }
}
