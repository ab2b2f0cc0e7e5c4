import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { DatabaseUnavailableError } from '../database/errors.js';
import { type AttemptKey, AttemptFailuresRepository } from './attempt-failures.repository.js';
import { FORGOTTEN_AFTER_MS, isInBackOff } from './back-off.js';
import { RefusalPace } from './refusal-pace.js';
import { Turns } from './turns.js';

/** What can be guessed: each is counted for itself. */
const FACTORS = ['password', 'totp', 'recovery-code', 'share-passphrase'] as const;
type Factor = (typeof FACTORS)[number];

/** A guess at something secret. */
interface Attempt<Result> {
  readonly kind: Factor;
  /** Whose it is, at most 200 characters: a user's id, or that and the id of a device known to be theirs. */
  readonly subject: string;
  /** Judges the guess: `undefined` is wrong. Called once at most. What it throws says nothing of the guess. */
  readonly verify: () => Promise<Result | undefined>;
  /**
   * Does the work of `verify`, finds out nothing and uses nothing up: for a refusal while nobody knows how long one takes
   * that is judged. Left out where that is hardly any.
   */
  readonly imitate?: () => Promise<unknown>;
  /** Records a refusal: in the transaction that counts it, unless it was counted before. */
  readonly onRefusal: (reason: 'wrong' | 'throttled') => Promise<void>;
}

/**
 * Slows guessing down (SP 800-63B-4, section 3.2.2). From the fifth failure in a row on, guesses at one subject are
 * refused for a second, then two, up to fifteen minutes; also right ones, or the guessing would go on meanwhile. A
 * right one that is judged ends the row.
 *
 * On one instance the guesses at a subject are judged one after the other, so of any number at the same moment at
 * most five are judged before the first back-off. Each further instance adds at most one: a guess at a subject without
 * failures is counted only once it is wrong, so that a right one costs no write. All later ones are counted first.
 */
@Injectable()
export class AttemptThrottle {
  readonly #turns = new Turns();
  readonly #paces = new Map<Factor, RefusalPace>();

  constructor(
    private readonly repository: AttemptFailuresRepository,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * The result of a right guess; `undefined` for a wrong one and for one that came in a back-off, after the same
   * time. Not to be called in a transaction.
   */
  async attempt<Result>({
    verify,
    imitate,
    onRefusal,
    ...key
  }: Attempt<Result>): Promise<Result | undefined> {
    // It would hold the writer of SQLite while it waits for its turn, and whoever has the turn for the writer.
    if (this.database.isInTransaction) throw new Error('a guess is judged in a transaction');
    let startedAtMs = 0;
    const judged = await this.#turns.take(`${key.kind} ${key.subject}`, async () => {
      startedAtMs = performance.now();
      return this.#judge(key, verify, onRefusal);
    });
    if (judged.isRight) return judged.result;
    const pace = this.#paceOf(key.kind);
    if (judged.isThrottled) {
      await onRefusal('throttled');
      await (pace.isKnown ? pace.until(startedAtMs) : imitate?.());
    } else {
      pace.note(performance.now() - startedAtMs);
    }
    return undefined;
  }

  /** Forgets the failures at a user who goes, on each of their devices too: in the surrounding transaction. */
  async forget(userId: string): Promise<void> {
    await this.repository.deleteUnder(userId, FACTORS);
  }

  /** Forgets failures that are a day old. */
  async sweep(): Promise<void> {
    await this.repository.deleteFailedBefore(this.clock.nowMs() - FORGOTTEN_AFTER_MS);
  }

  async #judge<Result>(
    key: AttemptKey,
    verify: Attempt<Result>['verify'],
    onRefusal: Attempt<Result>['onRefusal'],
  ): Promise<Judgement<Result>> {
    const nowMs = this.clock.nowMs();
    const blockedUntilMs = await this.repository.findBlockedUntil(key);
    let charged: number | undefined;
    if (blockedUntilMs !== undefined) {
      if (isInBackOff(blockedUntilMs, nowMs)) return throttled;
      charged = await this.repository.charge(key, nowMs);
      if (charged === undefined) return throttled;
    }
    const result = await this.#verify(key, charged, verify);
    if (result !== undefined) {
      if (charged !== undefined) await this.#clear(key);
      return { isRight: true, result };
    }
    if (charged === undefined) {
      await this.database.transaction(async () => {
        await this.repository.add(key, nowMs);
        await onRefusal('wrong');
      });
    } else {
      await onRefusal('wrong');
    }
    return { isRight: false, isThrottled: false };
  }

  /** A guess that could not be judged was no failure. */
  async #verify<Result>(
    key: AttemptKey,
    charged: number | undefined,
    verify: Attempt<Result>['verify'],
  ): Promise<Result | undefined> {
    try {
      return await verify();
    } catch (error) {
      if (charged !== undefined) await this.repository.refund(key, charged, this.clock.nowMs());
      throw error;
    }
  }

  /** What the guess was for has happened: nobody may be told otherwise, and what is left is forgotten in a day. */
  async #clear(key: AttemptKey): Promise<void> {
    try {
      await this.repository.clear(key);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
    }
  }

  #paceOf(kind: Factor): RefusalPace {
    const pace = this.#paces.get(kind) ?? new RefusalPace();
    this.#paces.set(kind, pace);
    return pace;
  }
}

type Judgement<Result> =
  | { readonly isRight: true; readonly result: Result }
  | { readonly isRight: false; readonly isThrottled: boolean };

const throttled = { isRight: false, isThrottled: true } as const;
