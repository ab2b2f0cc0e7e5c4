import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeText, encodeText, envelopeOf, textOf } from './envelope-text.js';
import { DecryptionError } from './errors.js';

const KEY_ID = '0123456789abcdef';
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');

describe('the text of an envelope', () => {
  it('is enc.v1. and its bytes in base64url', () => {
    expect(textOf(Buffer.from('fbf0ff', 'hex'))).toBe('enc.v1.-_D_');
  });

  it('gives exactly the envelope back', () => {
    fc.assert(
      fc.property(bytes, (envelope) => {
        expect(envelopeOf(textOf(envelope)).equals(envelope)).toBe(true);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['the bytes alone', 'AQI'],
    ['half of the prefix', 'enc.v'],
    ['a prefix without a dot', 'enc.v1AQI'],
    ['another version', 'enc.v2.AQI'],
    ['another kind', 'sig.v1.AQI'],
    ['another case of the prefix', 'ENC.v1.AQI'],
    ['the prefix twice', 'enc.v1.enc.v1.AQI'],
    ['padding', 'enc.v1.AQI='],
    ['a space before', ' enc.v1.AQI'],
    ['a space after', 'enc.v1.AQI '],
    ['a line break inside', 'enc.v1.A\nQI'],
    ['a zero byte', 'enc.v1.AQI\0'],
    ['the alphabet of base64', 'enc.v1.+/D/'],
    ['a letter that looks the same', 'enc.v1.\u0410QI'],
    ['bits that belong to no byte, after two bytes', 'enc.v1.AQJ'],
    ['bits that belong to no byte, after one', 'enc.v1.AR'],
    ['a sixth of a byte', 'enc.v1.AQIDA'],
  ])('is refused with %s', (_what, text) => {
    expect(() => envelopeOf(text)).toThrow(DecryptionError);
  });

  it('is the only one: any other one gives another envelope or is refused', () => {
    const changes = fc.tuple(bytes, fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }), fc.nat(3));
    fc.assert(
      fc.property(changes, ([envelope, place, added, removed]) => {
        const text = textOf(envelope);
        const at = place % (text.length + 1);
        const other = text.slice(0, at) + added + text.slice(at + removed);
        fc.pre(other !== text);
        expect(readOrRefuse(other)?.equals(envelope) ?? false).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('ends with one of 64 letters, or of 16 or 4 where bits are left over', () => {
    const taken = [0, 1, 2].map((left) => {
      const text = textOf(Buffer.alloc(30 - left)).slice(0, -1);
      return ALPHABET.filter((letter) => readOrRefuse(text + letter)).length;
    });
    expect(taken).toEqual([64, 16, 4]);
  });
});

describe('a text that is encrypted', () => {
  it('comes back as it was, a byte order mark too', () => {
    const texts = fc.oneof(fc.constant('\uFEFFmarked'), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(texts, (text) => {
        expect(decodeText(encodeText(text), KEY_ID)).toBe(text);
      }),
    );
  });

  it.each(['\uD800', 'a\uDC00b'])('is refused with a lone surrogate: %j', (text) => {
    expect(() => encodeText(text)).toThrow(TypeError);
  });

  it('is none where the bytes are not UTF-8, and the key is named', () => {
    const decode = () => decodeText(Buffer.of(0x61, 0xff), KEY_ID);
    expect(decode).toThrow(DecryptionError);
    expect(decode).toThrow(expect.objectContaining({ keyId: KEY_ID }));
  });
});

function readOrRefuse(text: string): Buffer | undefined {
  try {
    return envelopeOf(text);
  } catch (error) {
    if (error instanceof DecryptionError) return undefined;
    throw error;
  }
}
