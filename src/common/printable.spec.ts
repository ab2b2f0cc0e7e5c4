import { describe, expect, it } from '@jest/globals';
import { printable } from './printable.js';

describe('printable', () => {
  it.each([
    ['\u001B[2J', '\uFFFD[2J'],
    ['\r over it', '\uFFFD over it'],
    ['\u009B31m', '\uFFFD31m'],
    ['\u202E backwards', '\uFFFD backwards'],
    ['\0\b\u007F', '\uFFFD\uFFFD\uFFFD'],
  ])('leaves nothing in %j that a terminal would act on', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('leaves letters of every script and the ends of lines', () => {
    expect(printable('größe 鍵 🔑\n  second line')).toBe('größe 鍵 🔑\n  second line');
  });
});
