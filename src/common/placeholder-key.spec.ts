import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isPlaceholderKey } from './placeholder-key.js';

describe('isPlaceholderKey', () => {
  it.each<[string, Uint8Array]>([
    ['zeros', Buffer.alloc(32)],
    ['the same byte again and again', Buffer.alloc(32, 0xff)],
    ['a short word again and again', Buffer.alloc(32, 'changeme')],
    ['bytes that count up', Uint8Array.from({ length: 32 }, (_, index) => index)],
    ['bytes that count down past zero', Uint8Array.from({ length: 32 }, (_, index) => 5 - index)],
    ['the digits of hexadecimal', Buffer.from('0123456789abcdef0123456789abcdef')],
  ])('finds %s', (_what, raw) => {
    expect(isPlaceholderKey(raw)).toBe(true);
  });

  it('takes ten thousand random keys for none', () => {
    expect(Array.from({ length: 10_000 }, () => randomBytes(32)).some(isPlaceholderKey)).toBe(false);
  });
});
