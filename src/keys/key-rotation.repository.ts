import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { Database } from '../database/database.js';
import { type RetiredKey } from './encrypted-rows.js';
import { type KeyRow } from './keys.repository.js';

/** A key under a key, with all that its wrapping is bound to. */
export type WrappedKey = Pick<KeyRow, 'id' | 'parent_id' | 'owner_id' | 'purpose' | 'suite'> & {
  readonly wrapped: Uint8Array;
};

/** A key under its next parent. */
export type MovedKey = WrappedKey & { readonly wrappedBefore: Uint8Array };

/** What a rotation reads and changes in the table of keys. */
@Injectable()
export class KeyRotationRepository {
  constructor(private readonly database: Database) {}

  /** @returns false when the key is not primary any more */
  async retire(id: string, { notAfterMs }: { readonly notAfterMs: number | null }): Promise<boolean> {
    const row = await this.database.query
      .updateTable('keys')
      .set({ state: 'DECRYPT_ONLY', not_after: notAfterMs })
      .where('id', '=', id)
      .where('state', '=', 'PRIMARY')
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Makes a pending key wait until then. */
  async postpone(id: string, untilMs: number): Promise<void> {
    await this.database.query
      .updateTable('keys')
      .set({ activated_at: untilMs })
      .where('id', '=', id)
      .where('state', '=', 'PENDING')
      .execute();
  }

  async promote(id: string, nowMs: number): Promise<void> {
    await this.database.query
      .updateTable('keys')
      .set({ state: 'PRIMARY', activated_at: nowMs })
      .where('id', '=', id)
      .where('state', '=', 'PENDING')
      .execute();
  }

  /** Keys that encrypt nothing new. */
  async findRetired(
    ownerId: string,
    purpose: string,
    states: readonly KeyRow['state'][],
  ): Promise<RetiredKey[]> {
    return this.database.query
      .selectFrom('keys')
      .select(['id', 'owner_id as ownerId', 'version'])
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', 'in', states)
      .orderBy('version')
      .execute();
  }

  /** Waits for whoever is writing under one of the owner's retired keys, until the surrounding transaction ends. */
  async lockRetired(ownerId: string, purpose: string): Promise<void> {
    if (this.database.kind === 'sqlite') return;
    await this.database.query
      .selectFrom('keys')
      .select('id')
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', '=', 'DECRYPT_ONLY')
      .orderBy('id')
      .forUpdate()
      .execute();
  }

  async findChildren(parentId: string, limit: number): Promise<WrappedKey[]> {
    return this.database.query
      .selectFrom('keys')
      .select(['id', 'parent_id', 'owner_id', 'purpose', 'suite', 'wrapped'])
      .where('parent_id', '=', parentId)
      .where('wrapped', 'is not', null)
      .limit(limit)
      .$narrowType<{ wrapped: Uint8Array }>()
      .execute();
  }

  /**
   * Puts keys under another parent, all in one statement. One that was moved or destroyed since it was read stays:
   * no two wrapped keys are equal. A condition on `parent_id` instead would make SQLite walk all that is left under
   * the old parent, for each batch.
   */
  async rewrap(keys: readonly MovedKey[]): Promise<void> {
    const bytes = this.database.kind === 'postgres' ? sql`bytea` : sql`blob`;
    // Both databases call the columns of VALUES column1, column2 …
    const rows = keys.map(
      ({ id, parent_id: parentId, wrapped, wrappedBefore }) =>
        sql`(cast(${id} as text), cast(${parentId} as text), cast(${wrapped} as ${bytes}), cast(${wrappedBefore} as ${bytes}))`,
    );
    await sql`
      update keys set parent_id = moved.column2, wrapped = moved.column3
      from (values ${sql.join(rows)}) as moved
      where keys.id = moved.column1 and keys.wrapped = moved.column4
    `.execute(this.database.query);
  }

  /** Owners with keys of a purpose that are in use, in order. */
  async listOwners(purpose: string, afterId: string, limit: number): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('owner_id')
      .distinct()
      .where('purpose', '=', purpose)
      .where('state', 'in', ['PRIMARY', 'DECRYPT_ONLY'])
      .where('owner_id', '>', afterId)
      .orderBy('owner_id')
      .limit(limit)
      .execute();
    return rows.map((row) => row.owner_id);
  }

  /** Primary keys that became that before `beforeMs`, the oldest first. */
  async findDue(purpose: string, beforeMs: number, limit: number): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom('keys')
      .select('owner_id')
      .where('purpose', '=', purpose)
      .where('state', '=', 'PRIMARY')
      .where('activated_at', '<', beforeMs)
      .where('owner_id', 'not in', (running) =>
        running
          .selectFrom('key_jobs')
          .select('key_jobs.owner_id')
          .where('key_jobs.purpose', '=', purpose)
          .where('finished_at', 'is', null),
      )
      .orderBy('activated_at')
      .limit(limit)
      .execute();
    return rows.map((row) => row.owner_id);
  }

  /** The key that waits to become primary, or else the primary one. */
  async findNewest(
    ownerId: string,
    purpose: string,
  ): Promise<Pick<KeyRow, 'id' | 'state' | 'activated_at'> | undefined> {
    return this.database.query
      .selectFrom('keys')
      .select(['id', 'state', 'activated_at'])
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', 'in', ['PENDING', 'PRIMARY'])
      .orderBy('version', 'desc')
      .executeTakeFirst();
  }

  async disableRetired(ownerId: string, purpose: string): Promise<void> {
    await this.database.query
      .updateTable('keys')
      .set({ state: 'DISABLED' })
      .where('owner_id', '=', ownerId)
      .where('purpose', '=', purpose)
      .where('state', '=', 'DECRYPT_ONLY')
      .execute();
  }
}
