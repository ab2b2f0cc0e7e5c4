import { describe, expect, it } from '@jest/globals';
import { assert, date, property } from 'fast-check';
import { isoTime } from './iso-time.js';

describe('isoTime', () => {
  it('says what toISOString says, for every time there is', () => {
    assert(
      property(date({ noInvalidDate: true }), (time) => {
        expect(isoTime(time)).toBe(time.toISOString());
      }),
    );
  });

  it.each([-1, 0, 1, 86_399_999, 86_400_000, -86_400_000, -86_400_001, 8.64e15, -8.64e15])(
    'says it at %d ms, where a day or time itself begins or ends',
    (ms) => {
      expect(isoTime(new Date(ms))).toBe(new Date(ms).toISOString());
    },
  );

  it('says it for times of one day that follow each other', () => {
    const startMs = Date.UTC(2026, 1, 28);
    for (let ms = startMs; ms < startMs + 2 * 86_400_000; ms += 997_003) {
      expect(isoTime(new Date(ms))).toBe(new Date(ms).toISOString());
    }
  });

  it('refuses an invalid date', () => {
    expect(() => isoTime(new Date(Number.NaN))).toThrow(new RangeError('Invalid time value'));
  });
});
