import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { median } from '../bench/statistics.js';
import { newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const ROUNDS = 200;
const MAX_BATCHES = 8;
const TOLERANCE = 0.05;
/** Enough for the code to be compiled, and for refusals in a back-off to have 64 others to take the time of. */
const WARM_UP_ROUNDS = 40;
/** The fifth wrong guess at an account begins a back-off. */
const FREE_GUESSES = 4;
const TIMEOUT_MS = 600_000;

const KINDS = ['known', 'unknown', 'disabled', 'locked'] as const;
type Kind = (typeof KINDS)[number];

/** The right password where even that must show nothing. */
const passwords: Readonly<Record<Kind, string>> = {
  known: 'incorrect horse battery staple',
  unknown: PASSWORD,
  disabled: PASSWORD,
  locked: PASSWORD,
};

/**
 * A round is one login of each kind, one after the other and in random order, so that whatever else the machine does
 * meets all kinds alike. Medians of 200 rounds differ by more than 5 % on a busy machine by chance alone. So a batch
 * that does is followed by another, and the medians are those of all: a difference by chance goes away, one
 * that the server makes stays.
 */
describe('the time of a refused login', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    const addresses = byKind<string>();
    beforeAll(async () => {
      app = await newApp();
      const { query } = databaseOf(app);
      const locked = await newAccount(app);
      for (let guess = 0; guess <= FREE_GUESSES; guess++) await refuse(locked.email, passwords.known);
      while (addresses.known.length < ROUNDS / FREE_GUESSES) {
        const disabled = await newAccount(app);
        await query.updateTable('users').set({ disabled_at: 1 }).where('id', '=', disabled.id).execute();
        addresses.known.push((await newAccount(app)).email);
        addresses.unknown.push(newEmail());
        addresses.disabled.push(disabled.email);
        addresses.locked.push(locked.email);
      }
      await measure(WARM_UP_ROUNDS, byKind());
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

    /** Adds the milliseconds of every login to the samples. */
    async function measure(rounds: number, samples: Record<Kind, number[]>): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        for (const kind of shuffled(KINDS)) {
          const email = addresses[kind][Math.floor(round / FREE_GUESSES)] ?? '';
          samples[kind].push(await refuse(email, passwords[kind]));
        }
      }
      // The next batch begins as this one did: with no failures but those that lock.
      const failures = databaseOf(app).query.deleteFrom('attempt_failures');
      await failures.where('blocked_until', '<=', app.clock.nowMs()).execute();
    }

    it(
      'has medians within 5 % for known, unknown, disabled and locked accounts',
      async () => {
        const samples = byKind<number>();
        let medians: number[];
        let batches = 0;
        do {
          await measure(ROUNDS, samples);
          medians = KINDS.map((kind) => median(samples[kind]));
          batches++;
        } while (batches < MAX_BATCHES && !areAlike(medians));
        expect({ medians, areAlike: areAlike(medians) }).toEqual({ medians, areAlike: true });
      },
      TIMEOUT_MS,
    );
  });
});

function areAlike(medians: readonly number[]): boolean {
  return Math.max(...medians) <= Math.min(...medians) * (1 + TOLERANCE);
}

function byKind<T>(): Record<Kind, T[]> {
  return { known: [], unknown: [], disabled: [], locked: [] };
}

function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values];
  return values.flatMap(() => left.splice(randomInt(left.length), 1));
}
