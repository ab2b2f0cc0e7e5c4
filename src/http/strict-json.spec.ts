import { describe, expect, it } from '@jest/globals';
import { assert, json, jsonValue, pre, property } from 'fast-check';
import { AppError } from '../common/app-error.js';
import { parseStrictJson } from './strict-json.js';

const parse = (text: string) => parseStrictJson(Buffer.from(text, 'utf8'));

function nested(depth: number): string[] {
  return ['['.repeat(depth) + ']'.repeat(depth), `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`];
}

function refusalOf(input: string | Buffer): string {
  try {
    parseStrictJson(Buffer.from(input as string));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.errors?.[0]?.detail ?? error.message;
  }
  return 'none';
}

describe('parseStrictJson', () => {
  it('reads what JSON.parse reads', () => {
    assert(
      property(json({ stringUnit: 'grapheme', maxDepth: 6 }), (text) => {
        pre(refusalOf(text) !== 'the body has a reserved key');
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('reads what JSON.stringify writes with indentation', () => {
    assert(
      property(jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const text = JSON.stringify(value, undefined, '\t\r\n ');
        pre(refusalOf(text) !== 'the body has a reserved key');
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['in the outer object', '{"a":1,"a":1}'],
    ['in an inner one', '[{"x":{"a":1,"b":{},"a":[]}}]'],
    ['after an object of its own', '{"a":{"a":1},"a":2}'],
    ['written in another way', '{"name":1,"n\\u0061me":2}'],
    ['with spaces around', '{"a" :1,\n"a"\t: 2}'],
    ['that is empty', '{"":1,"":1}'],
    ['with a quote in it', '{"a\\"":1,"a\\"":1}'],
    ['with a backslash at its end', '{"a\\\\":1,"a\\\\":1}'],
  ])('refuses a key twice: %s', (_claim, text) => {
    expect(refusalOf(text)).toBe('the body has a key twice in one object');
  });

  it.each([
    ['{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}'],
    ['{"a":"a","b":"\\"a\\":1,\\"a\\":2"}'],
    ['["a","a"]'],
    ['{"a":":","b":"a"}'],
    ['{"A":1,"a":2}'],
  ])('takes the same text in other places: %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['{"__proto__":{}}'],
    ['{"__proto__":null}'],
    ['{"a":[{"__proto__":1}]}'],
    ['{"\\u005f_proto__":1}'],
    ['{"constructor":{"prototype":{"x":1}}}'],
    ['{"a":{"prototype" : {}}}'],
  ])('refuses %s, which could change every object', (text) => {
    expect(refusalOf(text)).toBe('the body has a reserved key');
  });

  it('takes keys and values that only look like that', () => {
    const text = '{"constructor":"x","prototype":1,"a":"__proto__","proto":{},"__proto":[]}';
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it('takes 32 levels and no more, of lists and objects', () => {
    for (const text of nested(32)) expect(refusalOf(text)).toBe('none');
    for (const text of [...nested(33), ...nested(10_000)]) {
      expect(refusalOf(text)).toBe('must not nest deeper than 32 levels');
    }
  });

  it.each([
    ['a byte that begins nothing', Buffer.from('7b2261223a22ff227d', 'hex')],
    ['an overlong slash', Buffer.from('7b2261223a22c0af227d', 'hex')],
    ['a surrogate', Buffer.from('7b2261223a22eda080227d', 'hex')],
    ['a character cut short', Buffer.from('7b2261223a22e282227d', 'hex')],
    ['UTF-16', Buffer.from('{"a":"ä"}', 'utf16le').subarray(0, 17)],
  ])('refuses %s', (_claim, bytes) => {
    expect(['the body is not UTF-8', 'the request cannot be read']).toContain(refusalOf(bytes));
  });

  it('refuses a byte order mark', () => {
    expect(refusalOf('\ufeff{}')).toBe('the request cannot be read');
  });

  it('refuses half of a surrogate pair, and takes a whole one', () => {
    for (const text of ['"\\ud800"', '{"a":"x\\udc00"}', '{"\\ud83d":1}']) {
      expect(refusalOf(text)).toBe('the body has a string that is no Unicode text');
    }
    expect(parse('{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' });
  });

  it('never repeats the text, whatever is wrong with it', () => {
    for (const text of ['{"hunter2":1,"hunter2":1}', '{"a":hunter2}', '"hunter2', '{"hunter2\\ud800":1}']) {
      expect(refusalOf(text)).not.toBe('none');
      expect(refusalOf(text)).not.toContain('hunter2');
    }
  });

  it('takes time in proportion to the length, also of hostile strings', () => {
    const hostile = `"${'\\\\'.repeat(30_000)}${'\\"'.repeat(30_000)}"`;
    const startedAt = performance.now();
    expect(parse(hostile)).toHaveLength(60_000);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
