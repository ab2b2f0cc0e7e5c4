import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { FixedWindows } from './fixed-windows.js';

describe('FixedWindows', () => {
  let clock: FakeClock;
  let windows: FixedWindows;
  beforeEach(() => {
    clock = new FakeClock();
    windows = new FixedWindows(3, clock, 4);
  });

  function take(client: string, times: number): number[] {
    return Array.from({ length: times }, () => windows.take(client));
  }

  it('grants each client its number and then says how long to wait', () => {
    expect(take('a', 5)).toEqual([0, 0, 0, 60, 60]);
    expect(take('b', 3)).toEqual([0, 0, 0]);
    clock.advance(59.1);
    expect(windows.take('a')).toBe(1);
  });

  it('begins anew after a minute, also for who went on asking', () => {
    take('a', 50);
    clock.advance(60);
    expect(take('a', 4)).toEqual([0, 0, 0, 60]);
  });

  it('begins a minute with the first request, not with the clock', () => {
    windows.take('a');
    clock.advance(59);
    expect(take('a', 3)).toEqual([0, 0, 1]);
  });

  it('takes back what was refused elsewhere', () => {
    take('a', 3);
    windows.giveBack('a');
    expect(take('a', 2)).toEqual([0, 60]);
    windows.take('b');
    windows.giveBack('b');
    windows.giveBack('b');
    clock.advance(59);
    expect(take('b', 4)).toEqual([0, 0, 0, 60]);
  });

  it('locks nobody out for longer when the clock is set back', () => {
    take('a', 4);
    clock.advance(-3_600);
    expect(windows.take('a')).toBe(0);
  });

  it('remembers a bounded number of clients and forgets the oldest first', () => {
    for (const client of ['a', 'b', 'c', 'd']) take(client, 4);
    windows.take('e');
    expect(windows.take('b')).toBeGreaterThan(0);
    expect(windows.take('a')).toBe(0);
  });
});
