import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { BoundedQueue } from './bounded-queue.js';

class FullError extends Error {}

describe('BoundedQueue', () => {
  it('runs no more tasks at once than it may', async () => {
    const queue = newQueue(2, 100);
    let running = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    };
    await Promise.all(Array.from({ length: 50 }, () => queue.run(task)));
    expect(most).toBe(2);
  });

  it('serves first come, first served, and lets nobody slip in between', async () => {
    const queue = newQueue(1, 100);
    const order: number[] = [];
    const tasks = [0, 1, 2].map((number) => queue.run(async () => void order.push(number)));
    const late = tasks[0]!.then(() => queue.run(async () => void order.push(3)));
    await Promise.all([...tasks, late]);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('refuses at once what is beyond its bound, and takes more after one has finished', async () => {
    const queue = newQueue(1, 2);
    const gate = Promise.withResolvers<void>();
    const accepted = [1, 2, 3].map(() => queue.run(() => gate.promise));
    await expect(queue.run(() => gate.promise)).rejects.toThrow(FullError);
    gate.resolve();
    await Promise.all(accepted);
    expect(await queue.run(async () => 'again')).toBe('again');
  });

  it('gives results out in groups while tasks wait, and all of them once none does', async () => {
    const queue = newQueue(1, 100, 3);
    const gates = Array.from({ length: 8 }, () => Promise.withResolvers<void>());
    const finished: number[] = [];
    const all = gates.map(({ promise }, number) =>
      queue.run(() => promise).then(() => finished.push(number)),
    );
    const seen: number[][] = [];
    for (const gate of gates) {
      gate.resolve();
      await nextTurn();
      seen.push([...finished]);
    }
    await Promise.all(all);
    const [none, three, six] = [[], [0, 1, 2], [0, 1, 2, 3, 4, 5]];
    expect(seen).toEqual([none, none, three, three, three, six, [...six, 6], [...six, 6, 7]]);
  });

  it('holds nobody up when nobody waits', async () => {
    const queue = newQueue(2, 100, 3);
    expect(await Promise.all([1, 2].map((number) => queue.run(async () => number)))).toEqual([1, 2]);
  });

  it('gives the place on when a task fails', async () => {
    const queue = newQueue(1, 2);
    const failing = queue.run(() => Promise.reject(new Error('no')));
    const next = queue.run(async () => 'next');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });
});

function newQueue(concurrency: number, maxWaiting: number, groupSize = 1): BoundedQueue {
  return new BoundedQueue({ concurrency, maxWaiting, groupSize }, () => new FullError());
}
