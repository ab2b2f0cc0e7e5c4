import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { median } from '../bench/statistics.js';
import { newAccount, newEmail, PASSWORD, setDisabled } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const ROUNDS_PER_BATCH = 50;
/** 400 rounds, 1 200 at most. */
const MIN_BATCHES = 8;
const MAX_BATCHES = 24;
const TOLERANCE = 0.05;
/** A difference so many standard errors from the tolerance is beyond doubt, however often one looks. */
const CLEAR_ERRORS = 4;
/** Enough for the code to be compiled, and for refusals in a back-off to have 64 others to take the time of. */
const WARM_UP_ROUNDS = 40;
/** The fifth wrong guess at an account begins a back-off. */
const FREE_GUESSES = 4;
const TIMEOUT_MS = 600_000;

const KINDS = ['known', 'unknown', 'disabled', 'locked'] as const;
type Kind = (typeof KINDS)[number];
/** Milliseconds of every login. */
type Samples = Readonly<Record<Kind, readonly number[]>>;

/** The right password where even that must show nothing. */
const passwords: Readonly<Record<Kind, string>> = {
  known: 'incorrect horse battery staple',
  unknown: PASSWORD,
  disabled: PASSWORD,
  locked: PASSWORD,
};

/**
 * A round is one login of each kind, one after the other and in random order, so that whatever else the machine does
 * meets all kinds alike. Medians of 200 rounds differ by more than 5 % on a busy machine by chance alone, and looking
 * again until they don't would let a real difference pass. So more rounds follow only while it is unclear on which side
 * of 5 % the differences are, and after the last the medians of all decide (the bounds of Haybittle and Peto).
 */
describe('the time of a refused login', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    const addresses = byKind<string>();
    beforeAll(async () => {
      app = await newApp();
      const locked = await newAccount(app);
      for (let guess = 0; guess <= FREE_GUESSES; guess++) await refuse(locked.email, passwords.known);
      while (addresses.known.length < ROUNDS_PER_BATCH / FREE_GUESSES) {
        const disabled = await newAccount(app);
        await setDisabled(app, disabled.id, 1);
        addresses.known.push((await newAccount(app)).email);
        addresses.unknown.push(newEmail());
        addresses.disabled.push(disabled.email);
        addresses.locked.push(locked.email);
      }
      await measure(WARM_UP_ROUNDS);
    }, TIMEOUT_MS);
    afterAll(() => app.close());

    /** @returns milliseconds */
    async function refuse(email: string, password: string): Promise<number> {
      const startedAtMs = performance.now();
      const answer = await app.post('/v1/auth/login', { email, password });
      const durationMs = performance.now() - startedAtMs;
      expectProblem(answer, 'ERR_INVALID_CREDENTIALS');
      return durationMs;
    }

    async function measure(rounds: number): Promise<Samples> {
      const samples = byKind<number>();
      for (let round = 0; round < rounds; round++) {
        for (const kind of shuffled(KINDS)) {
          const email = addresses[kind][Math.floor(round / FREE_GUESSES)] ?? '';
          samples[kind].push(await refuse(email, passwords[kind]));
        }
      }
      // The next batch begins as this one did: with no failures but those that lock.
      const failures = databaseOf(app).query.deleteFrom('attempt_failures');
      await failures.where('blocked_until', '<=', app.clock.nowMs()).execute();
      return samples;
    }

    it(
      'has medians within 5 % for known, unknown, disabled and locked accounts, and 10 % would be noticed',
      async () => {
        const batches: Samples[] = [];
        while (verdictOn(batches) === undefined) batches.push(await measure(ROUNDS_PER_BATCH));
        const medians = mediansOf(batches);
        expect({ medians, areAlike: verdictOn(batches) }).toEqual({ medians, areAlike: true });
        for (const kind of KINDS) {
          const slower = batches.map((batch) =>
            Object.assign({}, batch, { [kind]: batch[kind].map((ms) => ms * 1.1) }),
          );
          expect({ kind, areAlike: verdictOn(slower) }).not.toEqual({ kind, areAlike: true });
        }
      },
      TIMEOUT_MS,
    );
  });
});

/** Whether the medians are within the tolerance; `undefined` while more batches are needed to tell. */
function verdictOn(batches: readonly Samples[]): boolean | undefined {
  if (batches.length < MIN_BATCHES) return undefined;
  const bound = Math.log(1 + TOLERANCE);
  const differences = KINDS.flatMap((one, index) =>
    KINDS.slice(index + 1).map((other) =>
      meanAndError(batches.map((batch) => Math.log(median(batch[one]) / median(batch[other])))),
    ),
  );
  if (differences.some(({ mean, error }) => Math.abs(mean) - CLEAR_ERRORS * error > bound)) return false;
  if (differences.every(({ mean, error }) => Math.abs(mean) + CLEAR_ERRORS * error < bound)) return true;
  if (batches.length < MAX_BATCHES) return undefined;
  const medians = mediansOf(batches);
  return Math.max(...medians) <= Math.min(...medians) * (1 + TOLERANCE);
}

function mediansOf(batches: readonly Samples[]): number[] {
  return KINDS.map((kind) => median(batches.flatMap((batch) => batch[kind])));
}

function meanAndError(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

function byKind<T>(): Record<Kind, T[]> {
  return { known: [], unknown: [], disabled: [], locked: [] };
}

function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values];
  return values.flatMap(() => left.splice(randomInt(left.length), 1));
}
