import { describe, expect, it } from '@jest/globals';
import { isId, newRequestId, uuidv7 } from './id.js';

describe('uuidv7', () => {
  // RFC 9562, appendix A.6: the timestamp 2022-02-22 14:22:22 -05:00.
  it('has the time, the version and the variant where RFC 9562 wants them', () => {
    const id = uuidv7(0x017f22e279b0);
    expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(isId(id)).toBe(true);
  });

  it('sorts by time', () => {
    const times = [0, 1, 0xffff, 0x1_0000, 1_700_000_000_000, 2 ** 48 - 1];
    const ids = times.map((nowMs) => uuidv7(nowMs));
    expect(ids.toSorted()).toEqual(ids);
  });

  it('differs within one millisecond', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => uuidv7(7))).size).toBe(1_000);
  });
});

describe('isId', () => {
  it('takes a request id too', () => {
    expect(isId(newRequestId())).toBe(true);
  });

  it.each([
    '',
    'x',
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
    '017f22e279b07cc398c4dc0c0c07398f',
    '{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n',
    '00000000-0000-0000-0000-000000000000',
    '017f22e2-79b0-7cc3-c8c4-dc0c0c07398f',
  ])('refuses %j: one object has one spelling', (text) => {
    expect(isId(text)).toBe(false);
  });
});
