import { describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Cohort } from './cohort.js';

async function steps(cohort: Cohort, name: string, log: string[]): Promise<void> {
  await cohort.join();
  log.push(`${name}1`);
  await Promise.resolve();
  log.push(`${name}2`);
}

describe('Cohort', () => {
  it('takes every step for all who joined in one turn before the next step', async () => {
    const cohort = new Cohort();
    const log: string[] = [];
    await Promise.all(['a', 'b', 'c'].map((name) => steps(cohort, name, log)));
    expect(log).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
  });

  it('lets nobody go on in the turn they came in, or wait for who comes later', async () => {
    const cohort = new Cohort();
    const log: string[] = [];
    const first = steps(cohort, 'a', log);
    await Promise.resolve();
    expect(log).toEqual([]);
    await nextTurn();
    const second = steps(cohort, 'b', log);
    await first;
    expect(log).toEqual(['a1', 'a2']);
    await second;
    expect(log).toEqual(['a1', 'a2', 'b1', 'b2']);
  });

  it('keeps the async context of each', async () => {
    const storage = new AsyncLocalStorage<string>();
    const cohort = new Cohort();
    const contexts = ['a', 'b'].map((name) =>
      storage.run(name, async () => {
        await cohort.join();
        return storage.getStore();
      }),
    );
    expect(await Promise.all(contexts)).toEqual(['a', 'b']);
  });
});
