import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ValidationError } from './app-error.js';
import { decodeCursor, decodeNumberCursor, toPage } from './pagination.js';

const identity = (row: string) => row;

describe('toPage', () => {
  it('ends with null when the rows are no more than the limit', () => {
    expect(toPage(['a', 'b'], 2, identity)).toEqual({ items: ['a', 'b'], nextCursor: null });
    expect(toPage([], 2, identity)).toEqual({ items: [], nextCursor: null });
  });

  it('leaves the row out that only tells of a next page', () => {
    const { items, nextCursor } = toPage(['a', 'b', 'c'], 2, identity);
    expect(items).toEqual(['a', 'b']);
    expect(decodeCursor(nextCursor ?? undefined)).toBe('b');
  });

  it('makes cursors of every character that a key can have, for a URL', () => {
    const key = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join('');
    const { nextCursor } = toPage([key, ''], 1, identity);
    expect(nextCursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(decodeCursor(nextCursor ?? undefined)).toBe(key);
  });
});

describe('decodeCursor', () => {
  it('knows no key without a cursor', () => {
    expect(decodeCursor(undefined)).toBeUndefined();
  });

  it.each([
    ['padding', 'YQ=='],
    ['bits left over', 'YR'],
    ['standard base64', '+/+/'],
    ['white space', 'Y Q'],
    ['a line break', Buffer.from('a\n').toString('base64url')],
    ['a NUL', Buffer.from('a\u0000').toString('base64url')],
    ['bytes that are no text', Buffer.from([0xff, 0xfe]).toString('base64url')],
    ['nothing in it', ''],
    ['201 characters in it', Buffer.from('a'.repeat(201)).toString('base64url')],
  ])('refuses a cursor with %s', (_claim, cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(ValidationError);
  });
});

describe('decodeNumberCursor', () => {
  it('gives the number that a page ended with', () => {
    expect(decodeNumberCursor(undefined, 9)).toBeUndefined();
    expect(decodeNumberCursor(cursorOf('1'), 9)).toBe(1);
    expect(decodeNumberCursor(cursorOf('9007199254740991'), Number.MAX_SAFE_INTEGER)).toBe(2 ** 53 - 1);
  });

  it.each(['0', '10', '-1', '1.5', '1e0', '01', ' 1', 'one', "' or 1=1 --", '99999999999999999999'])(
    'refuses %p where 9 is the highest',
    (key) => {
      expect(() => decodeNumberCursor(cursorOf(key), 9)).toThrow(ValidationError);
    },
  );
});

function cursorOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}
