import { describe, expect, it } from '@jest/globals';
import { RefusalPace } from './refusal-pace.js';

describe('RefusalPace', () => {
  it('makes refusals take the times of those that were judged, in turn', async () => {
    const pace = new RefusalPace();
    for (const durationMs of [20, 60]) pace.note(durationMs);
    for (const wanted of [20, 60, 20]) {
      const startedAtMs = performance.now();
      await pace.until(startedAtMs);
      expect(performance.now() - startedAtMs).toBeGreaterThan(wanted - 2);
    }
  });

  it('remembers the last 64', async () => {
    const pace = new RefusalPace();
    pace.note(60_000);
    for (let index = 0; index < 64; index++) pace.note(0);
    const startedAtMs = performance.now();
    for (let index = 0; index < 64; index++) await pace.until(startedAtMs);
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  });

  it('makes them come early as well as late where every timer fires late', async () => {
    const busy = setInterval(() => {
      const endMs = performance.now() + 10;
      while (performance.now() < endMs);
    });
    try {
      const pace = new RefusalPace();
      pace.note(25);
      const errorsMs: number[] = [];
      for (let index = 0; index < 120; index++) {
        const startedAtMs = performance.now();
        await pace.until(startedAtMs);
        errorsMs.push(performance.now() - startedAtMs - 25);
      }
      const settled = errorsMs.slice(60);
      expect(settled.filter((error) => error < -2).length).toBeGreaterThan(5);
      expect(settled.filter((error) => error > 2).length).toBeGreaterThan(5);
    } finally {
      clearInterval(busy);
    }
  });

  it('waits for nothing when it knows nothing, or when the time is over already', async () => {
    const pace = new RefusalPace();
    const startedAtMs = performance.now();
    await pace.until(startedAtMs);
    pace.note(1);
    await pace.until(startedAtMs - 60_000);
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  });
});
