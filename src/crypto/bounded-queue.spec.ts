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

  it('gives the place on when a task fails', async () => {
    const queue = newQueue(1, 2);
    const failing = queue.run(() => Promise.reject(new Error('no')));
    const next = queue.run(async () => 'next');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });
});

function newQueue(concurrency: number, maxWaiting: number): BoundedQueue {
  return new BoundedQueue(concurrency, maxWaiting, () => new FullError());
}
