import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { ExpiringCache } from './expiring-cache.js';

/** A cache of one second and three entries over a source that counts its loads. */
function newCache() {
  const clock = new FakeClock();
  const loads: string[] = [];
  const cache = new ExpiringCache<string>({ ttlMs: 1_000, maxEntries: 3 }, clock, async (key) => {
    loads.push(key);
    return `${key}${loads.length}`;
  });
  return { clock, loads, cache };
}

describe('ExpiringCache', () => {
  it('loads once within the time to live and again after it', async () => {
    const { cache, clock, loads } = newCache();
    expect(await cache.get('a')).toBe('a1');
    clock.advance(0.999);
    expect(await cache.get('a')).toBe('a1');
    clock.advance(0.001);
    expect(await cache.get('a')).toBe('a2');
    expect(loads).toEqual(['a', 'a']);
  });

  it('shares one load between callers of the same moment', async () => {
    const { cache, loads } = newCache();
    expect(await Promise.all(Array.from({ length: 16 }, () => cache.get('a')))).toEqual(Array(16).fill('a1'));
    expect(loads).toHaveLength(1);
  });

  it('does not stretch the life of an entry when the clock is set back', async () => {
    const { cache, clock } = newCache();
    await cache.get('a');
    clock.advance(-3_600);
    expect(cache.peek('a')).toBeUndefined();
    expect(await cache.get('a')).toBe('a2');
    clock.advance(0.5);
    expect(await cache.get('a')).toBe('a2');
  });

  it('peeks at what is loaded and fresh, and loads nothing', async () => {
    const { cache, clock, loads } = newCache();
    expect(cache.peek('a')).toBeUndefined();
    const loading = cache.get('a');
    expect(cache.peek('a')).toBeUndefined();
    await loading;
    expect(cache.peek('a')).toBe('a1');
    clock.advance(1);
    expect(cache.peek('a')).toBeUndefined();
    expect(loads).toHaveLength(1);
  });

  it('forgets what it is told to', async () => {
    const { cache } = newCache();
    await cache.get('a');
    cache.delete('a');
    expect(await cache.get('a')).toBe('a2');
    await cache.get('b');
    cache.clear();
    expect([cache.peek('a'), cache.peek('b')]).toEqual([undefined, undefined]);
  });

  it('holds no more entries than it may: the oldest goes', async () => {
    const { cache } = newCache();
    for (const key of ['a', 'b', 'c', 'd']) await cache.get(key);
    expect(['a', 'b', 'c', 'd'].map((key) => cache.peek(key))).toEqual([undefined, 'b2', 'c3', 'd4']);
  });

  it('does not remember a load that failed', async () => {
    let loads = 0;
    const cache = new ExpiringCache({ ttlMs: 1_000, maxEntries: 3 }, new FakeClock(), async () => {
      loads += 1;
      if (loads === 1) throw new Error('unreachable');
      return loads;
    });
    await expect(cache.get('a')).rejects.toThrow('unreachable');
    expect(await cache.get('a')).toBe(2);
  });

  it('does not remember a value whose load a deletion overtook', async () => {
    const gate = Promise.withResolvers<string>();
    let loads = 0;
    const cache = new ExpiringCache({ ttlMs: 1_000, maxEntries: 3 }, new FakeClock(), async () => {
      loads += 1;
      return loads === 1 ? gate.promise : 'new';
    });
    const overtaken = cache.get('a');
    cache.delete('a');
    expect(await cache.get('a')).toBe('new');
    gate.resolve('old');
    expect(await overtaken).toBe('old');
    expect(await cache.get('a')).toBe('new');
  });
});
