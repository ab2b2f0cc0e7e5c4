import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { BlindIndexKey, blindIndexRange } from './blind-index.js';

const RAW = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const key = newKey();

describe('a blind index', () => {
  it('is the key version and 16 bytes', () => {
    const index = newKey(0x01020304).index('ada@example.com', 'contacts', 'email');
    expect(index).toHaveLength(20);
    expect(index.readUInt32BE()).toBe(0x01020304);
  });

  it('is HMAC-SHA-256 under HKDF of the owner’s key, composed a second time by hand', () => {
    // RFC 5869: Extract with an empty salt, then one block of Expand.
    const prk = createHmac('sha256', Buffer.alloc(32)).update(RAW).digest();
    const info = '["blind-index/v1","contacts","email"]';
    const columnKey = createHmac('sha256', prk).update(info).update(Buffer.of(1)).digest();
    const expected = createHmac('sha256', columnKey).update('ada@example.com').digest().subarray(0, 16);
    expect(key.index('ada@example.com', 'contacts', 'email').subarray(4)).toEqual(expected);
  });

  it.each([
    ['upper and lower case', 'Ada@Example.COM', 'ada@example.com'],
    ['composed and decomposed letters', 'Zo\u00eb', 'zoe\u0308'],
    ['full-width and ligature forms', 'Ａﬁ', 'afi'],
    ['the Kelvin sign and k', '\u212a', 'k'],
    ['a final sigma and its upper case', 'νικος.α@x.gr', 'ΝΙΚΟΣ.Α@x.gr'],
  ])('is equal for %s', (_what, one, other) => {
    expect(key.index(one, 't', 'c')).toEqual(key.index(other, 't', 'c'));
  });

  it.each([
    ['ı and i, which upper case would merge', 'ınfo@example.com', 'info@example.com'],
    ['ß and ss', 'straße', 'strasse'],
    ['a space at the end', 'ada', 'ada '],
  ])('is different for %s', (_what, one, other) => {
    expect(key.index(one, 't', 'c')).not.toEqual(key.index(other, 't', 'c'));
  });

  it('does not change when the value is normalised or lower-cased first', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const once = value.normalize('NFKC').toLowerCase().normalize('NFKC');
        expect(key.index(once, 't', 'c')).toEqual(key.index(value, 't', 'c'));
      }),
    );
  });

  it('is different in another table, column, owner key or version', () => {
    const one = key.index('ada', 'contacts', 'email');
    expect(key.index('ada', 'users', 'email')).not.toEqual(one);
    expect(key.index('ada', 'contacts', 'name')).not.toEqual(one);
    expect(newKey(1, Buffer.alloc(32, 9)).index('ada', 'contacts', 'email')).not.toEqual(one);
    expect(newKey(2).index('ada', 'contacts', 'email')).not.toEqual(one);
  });

  it('can’t be carried over by shifting letters between table and column', () => {
    expect(key.index('ada', 'ab', 'c')).not.toEqual(key.index('ada', 'a', 'bc'));
    expect(key.index('ada', 'a","b', 'c')).not.toEqual(key.index('ada', 'a', 'b","c'));
  });
});

describe('blindIndexRange', () => {
  it.each([0, 1, 255, 256, 2 ** 32 - 1])(
    'holds what a key of version %d made, and nothing else',
    (version) => {
      const { from, to } = blindIndexRange(version);
      const isInside = (index: Buffer) => index.compare(from) >= 0 && index.compare(to) <= 0;
      for (const value of ['', 'ada', 'bob'])
        expect(isInside(newKey(version).index(value, 't', 'c'))).toBe(true);
      for (const other of [version - 1, version + 1]) {
        if (other < 0 || other >= 2 ** 32) continue;
        expect(isInside(newKey(other).index('ada', 't', 'c'))).toBe(false);
      }
    },
  );
});

describe('BlindIndexKey.import', () => {
  it('fills the source with zeros', () => {
    const raw = Buffer.from(RAW);
    BlindIndexKey.import({ version: 1, owner: 'ada' }, raw);
    expect(raw.equals(Buffer.alloc(32))).toBe(true);
  });

  it('refuses another length', () => {
    const raw = Buffer.alloc(16);
    expect(() => BlindIndexKey.import({ version: 1, owner: 'ada' }, raw)).toThrow(
      'index key 1 is 16 bytes, want 32',
    );
  });

  it.each([-1, 0.5, 2 ** 32, Number.NaN])('refuses the version %d', (version) => {
    expect(() => newKey(version)).toThrow(RangeError);
  });

  it('gives an object that shows no key byte', () => {
    const secret = newKey(1, Buffer.alloc(32, 0x6b));
    secret.index('ada', 't', 'c');
    expect(JSON.parse(JSON.stringify(secret))).toEqual({ version: 1, owner: 'ada' });
    expect(inspect(secret, { showHidden: true, depth: Infinity })).not.toMatch(/6b ?6b|kk|107|Map/);
  });
});

function newKey(version = 1, raw: Buffer = RAW): BlindIndexKey {
  return BlindIndexKey.import({ version, owner: 'ada' }, Buffer.from(raw));
}
