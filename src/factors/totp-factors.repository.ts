import { Injectable } from '@nestjs/common';
import { type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type TotpFactorRow = Selectable<Schema['totp_factors']>;

export interface Seed {
  readonly ciphertext: Uint8Array;
  readonly keyId: string;
}

/** At most one TOTP factor a user: pending until a code has proved that the app has the seed. */
@Injectable()
export class TotpFactorsRepository {
  readonly #find;

  constructor(private readonly database: Database) {
    this.#find = database.prepare((query, userId: string) =>
      query.selectFrom('totp_factors').selectAll().where('user_id', '=', userId),
    );
  }

  async find(userId: string): Promise<TotpFactorRow | undefined> {
    const [row] = await this.#find(userId);
    return row;
  }

  /** In the place of one that is pending. @returns false when the user has an active one */
  async putPending(userId: string, { ciphertext, keyId }: Seed, nowMs: number): Promise<boolean> {
    const changes = { seed_ciphertext: ciphertext, seed_key_id: keyId };
    const row = await this.database.query
      .insertInto('totp_factors')
      .values({
        ...changes,
        user_id: userId,
        created_at: nowMs,
        activated_at: null,
        last_used_step: null,
      })
      .onConflict((conflict) =>
        conflict.column('user_id').doUpdateSet(changes).where('totp_factors.activated_at', 'is', null),
      )
      .returning('user_id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** @returns false when the seed is no longer the pending one */
  async activate(userId: string, seed: Uint8Array, step: number, nowMs: number): Promise<boolean> {
    const row = await this.database.query
      .updateTable('totp_factors')
      .set({ activated_at: nowMs, last_used_step: step })
      .where('user_id', '=', userId)
      .where('seed_ciphertext', '=', seed)
      .where('activated_at', 'is', null)
      .returning('user_id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Uses a step up, and all before it. That it is unused is decided inside this statement, so of any number of
   * callers at most one gets in with it.
   */
  async useStep(userId: string, step: number): Promise<boolean> {
    const row = await this.database.query
      .updateTable('totp_factors')
      .set({ last_used_step: step })
      .where('user_id', '=', userId)
      .where('activated_at', 'is not', null)
      .where((where) => where.or([where('last_used_step', 'is', null), where('last_used_step', '<', step)]))
      .returning('user_id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** @returns false when there is no active one */
  async setNeeded(userId: string, isNeeded: boolean): Promise<boolean> {
    const row = await this.database.query
      .updateTable('totp_factors')
      .set({ is_needed: isNeeded ? 1 : 0 })
      .where('user_id', '=', userId)
      .where('activated_at', 'is not', null)
      .returning('user_id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** @returns false when there is no active one, or it is needed */
  async delete(userId: string): Promise<boolean> {
    const row = await this.database.query
      .deleteFrom('totp_factors')
      .where('user_id', '=', userId)
      .where('activated_at', 'is not', null)
      .where('is_needed', '=', 0)
      .returning('user_id')
      .executeTakeFirst();
    return row !== undefined;
  }

  async countUnder(keyId: string): Promise<number> {
    const row = await this.database.query
      .selectFrom('totp_factors')
      .select((column) => column.fn.countAll<number>().as('count'))
      .where('seed_key_id', '=', keyId)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  async findUnder(keyId: string, limit: number): Promise<{ id: string; ciphertext: Uint8Array }[]> {
    return this.database.query
      .selectFrom('totp_factors')
      .select(['user_id as id', 'seed_ciphertext as ciphertext'])
      .where('seed_key_id', '=', keyId)
      .limit(limit)
      .execute();
  }

  /** Unless the seed was replaced since. */
  async replaceSeed(
    before: { readonly id: string; readonly ciphertext: Uint8Array },
    { ciphertext, keyId }: Seed,
  ): Promise<void> {
    await this.database.query
      .updateTable('totp_factors')
      .set({ seed_ciphertext: ciphertext, seed_key_id: keyId })
      .where('user_id', '=', before.id)
      .where('seed_ciphertext', '=', before.ciphertext)
      .execute();
  }
}
