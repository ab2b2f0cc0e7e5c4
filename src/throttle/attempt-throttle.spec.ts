import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database } from '../database/database.js';
import { FakeClock } from '../../test/support/fake-clock.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { AttemptFailuresRepository } from './attempt-failures.repository.js';
import { AttemptThrottle } from './attempt-throttle.js';

const RIGHT = 'right';
const OVERLOADED = 'overloaded';

interface Options {
  readonly subject?: string;
  readonly at?: AttemptThrottle;
  readonly factor?: 'password' | 'totp';
}

forEachDatabaseKind((kind) => {
  let test: TestDatabase;
  let database: Database;
  let clock: FakeClock;
  let throttle: AttemptThrottle;
  let judged: number;
  let imitated: number;
  let refusals: string[];
  beforeEach(async () => {
    test = await TestDatabase.create(kind);
    database = await test.openMigrated();
    clock = new FakeClock();
    throttle = newThrottle(database);
    judged = 0;
    imitated = 0;
    refusals = [];
  });
  afterEach(() => test.remove());

  function newThrottle(on: Database): AttemptThrottle {
    return new AttemptThrottle(new AttemptFailuresRepository(on), on, clock);
  }

  /** Whether the guess is accepted. */
  async function guess(
    value: string,
    { subject = 'ada', at = throttle, factor = 'password' }: Options = {},
  ): Promise<boolean> {
    const result = await at.attempt({
      kind: factor,
      subject,
      verify: async () => {
        judged++;
        if (value === OVERLOADED) throw new Error(value);
        return value === RIGHT ? value : undefined;
      },
      imitate: async () => {
        imitated++;
      },
      onRefusal: async (reason) => {
        refusals.push(reason);
      },
    });
    return result === RIGHT;
  }

  async function fail(times: number, options = {}): Promise<void> {
    for (let failure = 0; failure < times; failure++) expect(await guess('wrong', options)).toBe(false);
  }

  const rows = () => database.query.selectFrom('attempt_failures').selectAll().execute();

  describe('the throttle of guesses', () => {
    it('lets four failures pass, and writes nothing for a right guess', async () => {
      expect(await guess(RIGHT)).toBe(true);
      expect(await rows()).toEqual([]);
      await fail(4);
      expect(await guess(RIGHT)).toBe(true);
      expect(await rows()).toEqual([]);
    });

    it('refuses right guesses like wrong ones in a back-off, without judging them', async () => {
      await fail(5);
      clock.advance(0.999);
      expect(await guess(RIGHT)).toBe(false);
      expect(await guess('wrong')).toBe(false);
      expect(judged).toBe(5);
      clock.advance(0.001);
      expect(await guess(RIGHT)).toBe(true);
      await fail(4);
      expect(await guess(RIGHT)).toBe(true);
    });

    it('doubles the back-off from one second to fifteen minutes', async () => {
      await fail(5);
      for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]) {
        clock.advance(seconds - 0.001);
        expect(await guess(RIGHT)).toBe(false);
        clock.advance(0.001);
        await fail(1);
      }
      expect(judged).toBe(5 + 13);
    });

    it('does not lengthen a back-off by guesses that it refuses', async () => {
      await fail(5);
      await fail(10);
      clock.advance(1);
      expect(await guess(RIGHT)).toBe(true);
    });

    it('judges five of 50 wrong guesses at the same moment', async () => {
      const guesses = await Promise.all(Array.from({ length: 50 }, () => guess('wrong')));
      expect(guesses).not.toContain(true);
      expect(judged).toBe(5);
      expect(refusals.filter((reason) => reason === 'wrong')).toHaveLength(5);
      expect(refusals.filter((reason) => reason === 'throttled')).toHaveLength(45);
    });

    it('judges at most one more on each further instance', async () => {
      const instances = [throttle, newThrottle(await test.open()), newThrottle(await test.open())];
      await Promise.all(
        Array.from({ length: 48 }, (_, index) => guess('wrong', { at: instances[index % 3]! })),
      );
      expect(judged).toBeGreaterThanOrEqual(5);
      expect(judged).toBeLessThanOrEqual(7);
    });

    it('judges one at a time after a back-off, on any number of instances', async () => {
      await fail(5);
      clock.advance(1);
      const instances = [throttle, newThrottle(await test.open())];
      await Promise.all(
        Array.from({ length: 32 }, (_, index) => guess('wrong', { at: instances[index % 2]! })),
      );
      expect(judged).toBe(5 + 1);
    });

    it('accepts 16 right guesses at the same moment', async () => {
      const guesses = await Promise.all(Array.from({ length: 16 }, () => guess(RIGHT)));
      expect(guesses).not.toContain(false);
    });

    it('counts each subject and each factor for itself', async () => {
      await fail(5);
      expect(await guess(RIGHT, { subject: 'ada/device' })).toBe(true);
      expect(await guess(RIGHT, { factor: 'totp' })).toBe(true);
      expect(await guess(RIGHT)).toBe(false);
    });

    it('holds on every instance and through a restart', async () => {
      await fail(5);
      expect(await guess(RIGHT, { at: newThrottle(await test.open()) })).toBe(false);
    });

    it('does the work of a judged guess for a refused one until it knows how long that takes', async () => {
      await fail(5);
      expect(await guess(RIGHT)).toBe(false);
      expect(imitated).toBe(0);
      const restarted = newThrottle(await test.open());
      expect(await guess(RIGHT, { at: restarted })).toBe(false);
      expect(await guess('wrong', { at: restarted })).toBe(false);
      expect({ judged, imitated }).toEqual({ judged: 5, imitated: 2 });
      await fail(1, { at: restarted, subject: 'eve' });
      expect(await guess(RIGHT, { at: restarted })).toBe(false);
      expect(imitated).toBe(2);
    });

    it('does not count a guess that could not be judged', async () => {
      await fail(4);
      for (let attempt = 0; attempt < 10; attempt++)
        await expect(guess(OVERLOADED)).rejects.toThrow(OVERLOADED);
      expect(await guess(RIGHT)).toBe(true);
    });

    it('does not keep anybody out for longer when the clock is set back an hour', async () => {
      await fail(20);
      clock.advance(-3_600);
      expect(await guess(RIGHT)).toBe(true);
      await fail(5);
      expect(await guess(RIGHT)).toBe(false);
    });

    it('forgets failures after a day', async () => {
      await fail(7);
      clock.advance(86_399);
      await throttle.sweep();
      expect(await rows()).toHaveLength(1);
      clock.advance(2);
      await throttle.sweep();
      expect(await rows()).toEqual([]);
    });

    it('counts anew after a day without a failure, whether they were swept or not', async () => {
      await fail(5);
      for (let failure = 0; failure < 3; failure++) {
        clock.advance(900);
        await fail(1);
      }
      clock.advance(86_401);
      await fail(4);
      expect(await guess(RIGHT)).toBe(true);
    });

    it('keeps to the longest back-off of an instance whose clock is ahead', async () => {
      await fail(5);
      const ahead = { failures: 20, blocked_until: clock.nowMs() + 903_000 };
      await database.query.updateTable('attempt_failures').set(ahead).execute();
      expect(await guess(RIGHT)).toBe(false);
    });

    it('counts a failure only together with its record', async () => {
      const unrecorded = throttle.attempt({
        kind: 'password',
        subject: 'ada',
        verify: async () => undefined,
        onRefusal: () => Promise.reject(new Error('no audit')),
      });
      await expect(unrecorded).rejects.toThrow('no audit');
      expect(await rows()).toEqual([]);
    });

    it('refuses to be called in a transaction', async () => {
      await expect(database.transaction(() => guess(RIGHT))).rejects.toThrow('judged in a transaction');
    });
  });
});
