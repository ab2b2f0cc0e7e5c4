import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { Database } from '../database/database.js';
import {
  FIRST_BACK_OFF_MS,
  FORGOTTEN_AFTER_MS,
  FREE_FAILURES,
  MAX_BACK_OFF_MS,
  MAX_DOUBLINGS,
  MAX_SET_AHEAD_MS,
} from './back-off.js';

/** What is guessed, and at whose. */
export interface AttemptKey {
  readonly kind: string;
  readonly subject: string;
}

@Injectable()
export class AttemptFailuresRepository {
  readonly #findBlockedUntil;

  constructor(private readonly database: Database) {
    this.#findBlockedUntil = database.prepare((query, kind: string, subject: string) =>
      query
        .selectFrom('attempt_failures')
        .select('blocked_until')
        .where('kind', '=', kind)
        .where('subject', '=', subject),
    );
  }

  /** Until when guesses are refused, Unix milliseconds; `undefined` without a failure. */
  async findBlockedUntil({ kind, subject }: AttemptKey): Promise<number | undefined> {
    const [row] = await this.#findBlockedUntil(kind, subject);
    return row?.blocked_until;
  }

  /**
   * Counts a failure before the guess is judged, unless guesses are refused now. Both happen in this statement, so
   * of any number of callers no more are let in than may fail.
   *
   * @returns the failures, this one included; `undefined` when the guess is refused
   */
  async charge(key: AttemptKey, nowMs: number): Promise<number | undefined> {
    const row = await this.#upsert(key, nowMs, { onlyOutsideBackOff: true })
      .returning('failures')
      .executeTakeFirst();
    return row?.failures;
  }

  /** Counts a failure, whatever there was before. */
  async add(key: AttemptKey, nowMs: number): Promise<void> {
    await this.#upsert(key, nowMs, { onlyOutsideBackOff: false }).execute();
  }

  /** Takes back what `charge` counted; its back-off too, unless others failed since. */
  async refund({ kind, subject }: AttemptKey, charged: number, nowMs: number): Promise<void> {
    await this.database.query
      .updateTable('attempt_failures')
      .set((column) => ({
        failures: column('failures', '-', 1),
        blocked_until: column
          .case()
          .when('failures', '=', charged)
          .then(sql<number>`${nowMs}`)
          .else(column.ref('blocked_until'))
          .end(),
      }))
      .where('kind', '=', kind)
      .where('subject', '=', subject)
      .where('failures', '>=', charged)
      .execute();
  }

  async clear({ kind, subject }: AttemptKey): Promise<void> {
    await this.database.query
      .deleteFrom('attempt_failures')
      .where('kind', '=', kind)
      .where('subject', '=', subject)
      .execute();
  }

  /** The failures at a subject and at what is named after it with a slash, of all these kinds. */
  async deleteUnder(subject: string, kinds: readonly string[]): Promise<void> {
    await this.database.query
      .deleteFrom('attempt_failures')
      .where('kind', 'in', kinds)
      .where('subject', '>=', subject)
      // The character after the slash: a range, unlike a pattern, is one part of the index.
      .where('subject', '<', `${subject}0`)
      .execute();
  }

  async deleteFailedBefore(timeMs: number): Promise<void> {
    await this.database.query.deleteFrom('attempt_failures').where('failed_at', '<', timeMs).execute();
  }

  #upsert(
    { kind, subject }: AttemptKey,
    nowMs: number,
    { onlyOutsideBackOff }: { readonly onlyOutsideBackOff: boolean },
  ) {
    const failures = sql<number>`case
      when attempt_failures.failed_at < ${nowMs - FORGOTTEN_AFTER_MS} then 1
      else attempt_failures.failures + 1
    end`;
    const doublings = sql`${failures} - ${sql.lit(FREE_FAILURES)}`;
    const backOffMs = sql`case
      when ${doublings} < 0 then 0
      when ${doublings} > ${sql.lit(MAX_DOUBLINGS)} then ${sql.lit(MAX_BACK_OFF_MS)}
      else ${sql.lit(FIRST_BACK_OFF_MS)} << (${doublings})
    end`;
    return this.database.query
      .insertInto('attempt_failures')
      .values({ kind, subject, failures: 1, blocked_until: nowMs, failed_at: nowMs })
      .onConflict((conflict) => {
        const update = conflict.columns(['kind', 'subject']).doUpdateSet({
          failures,
          blocked_until: sql<number>`cast(${nowMs} as bigint) + ${backOffMs}`,
          failed_at: nowMs,
        });
        if (!onlyOutsideBackOff) return update;
        return update.where((where) =>
          where.or([
            where('attempt_failures.blocked_until', '<=', nowMs),
            where('attempt_failures.blocked_until', '>', nowMs + MAX_SET_AHEAD_MS),
          ]),
        );
      });
  }
}
