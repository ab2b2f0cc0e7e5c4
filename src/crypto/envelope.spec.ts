import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type EncryptionContext } from './encryption-context.js';
import { boundContext, encodeHeader, keyIdOf, parseHeader } from './envelope.js';
import { DecryptionError } from './errors.js';

const KEY_ID = '0123456789abcdef';
const header = encodeHeader(0x01, KEY_ID);
const text = fc.string({ unit: 'binary' });
const contexts = fc
  .dictionary(text, text)
  .map((entries): EncryptionContext => Object.assign(entries, { purpose: 'p', owner: 'o' }));

describe('encodeHeader', () => {
  it('writes version, suite and key id', () => {
    expect(header.toString('hex')).toBe(`0101${KEY_ID}`);
    expect(encodeHeader(0x02, KEY_ID).toString('hex')).toBe(`0102${KEY_ID}`);
  });

  it.each(['', '0123456789abcde', '0123456789ABCDEF', '0123456789abcdefa', '0123456789abcdeg'])(
    'refuses the key id %j',
    (id) => {
      expect(() => encodeHeader(0x01, id)).toThrow(TypeError);
    },
  );
});

describe('parseHeader', () => {
  it('reads what encodeHeader wrote, also inside a larger buffer', () => {
    const envelope = Buffer.concat([Buffer.alloc(3), encodeHeader(0x02, KEY_ID), Buffer.alloc(5)]).subarray(
      3,
    );
    expect(parseHeader(envelope)).toEqual({ suite: 'XAES-256-GCM', keyId: KEY_ID });
    expect(keyIdOf(new Uint8Array(envelope))).toBe(KEY_ID);
  });

  it('refuses every other version and suite', () => {
    const accepted: string[] = [];
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const other = Buffer.from(header);
        other[0] = first;
        other[1] = second;
        if (isEnvelope(other)) accepted.push(`${first} ${second}`);
      }
    }
    expect(accepted).toEqual(['1 1', '1 2']);
  });

  it('refuses every shorter input', () => {
    for (let length = 0; length < header.length; length++) {
      expect(() => parseHeader(header.subarray(0, length))).toThrow(DecryptionError);
    }
  });

  it('refuses text that is not an envelope', () => {
    expect(() => keyIdOf(Buffer.from('a plain value of some length'))).toThrow(DecryptionError);
  });
});

describe('boundContext', () => {
  it('binds header, count and sorted entries with their lengths', () => {
    expect(boundContext(header, { purpose: 'é', owner: '' }).toString('hex')).toBe(
      [
        `0101${KEY_ID}`,
        '0002',
        `0005${hex('owner')}00000000`,
        `0007${hex('purpose')}00000002c3a9`, // 'é' is two bytes of UTF-8
      ].join(''),
    );
  });

  it('does not depend on the order of the entries', () => {
    const one = boundContext(header, { purpose: 'p', owner: 'o', row: '1', table: 't' });
    const other = boundContext(header, { table: 't', row: '1', owner: 'o', purpose: 'p' });
    expect(one).toEqual(other);
  });

  it('binds different bytes for different contexts', () => {
    fc.assert(
      fc.property(contexts, contexts, (one, other) => {
        const isSame = boundContext(header, one).equals(boundContext(header, other));
        expect(isSame).toBe(sorted(one) === sorted(other));
      }),
    );
  });

  it('encodes any well-formed text so that it can be read back', () => {
    fc.assert(
      fc.property(contexts, (context) => {
        expect(readBack(boundContext(header, context))).toBe(sorted(context));
      }),
    );
  });

  it('can’t be told to shift bytes between name and value', () => {
    const one = boundContext(header, { purpose: 'p', owner: 'o', ab: 'c' });
    const other = boundContext(header, { purpose: 'p', owner: 'o', a: 'bc' });
    expect(one).not.toEqual(other);
  });

  it('refuses a lone surrogate in a name or a value, which UTF-8 would merge with U+FFFD', () => {
    expect(() => boundContext(header, { purpose: 'p', owner: '\ud800' })).toThrow(TypeError);
    expect(() => boundContext(header, { purpose: 'p', owner: 'o', 'row\udfff': '1' })).toThrow(TypeError);
  });

  it('refuses a value that is not text', () => {
    const context: EncryptionContext = JSON.parse('{"purpose":"p","owner":"o","version":3}');
    expect(() => boundContext(header, context)).toThrow('context entry "version" is not well-formed text');
  });

  it('refuses a name whose length does not fit 16 bits', () => {
    const longest = { purpose: 'p', owner: 'o', ['n'.repeat(0xffff)]: '' };
    const tooLong = { purpose: 'p', owner: 'o', ['n'.repeat(0x10000)]: '' };
    expect(boundContext(header, longest).length).toBeGreaterThan(0xffff);
    expect(() => boundContext(header, tooLong)).toThrow(RangeError);
  });
});

function isEnvelope(bytes: Buffer): boolean {
  try {
    parseHeader(bytes);
    return true;
  } catch (error) {
    if (error instanceof DecryptionError) return false;
    throw error;
  }
}

function hex(value: string): string {
  return Buffer.from(value).toString('hex');
}

function sorted(context: EncryptionContext): string {
  return JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A reader of the bound bytes, written against the layout and not the code. */
function readBack(bound: Buffer): string {
  const entries: [string, string][] = [];
  let offset = 12;
  for (let left = bound.readUInt16BE(10); left > 0; left--) {
    const nameEnd = offset + 2 + bound.readUInt16BE(offset);
    const name = bound.toString('utf8', offset + 2, nameEnd);
    const valueEnd = nameEnd + 4 + bound.readUInt32BE(nameEnd);
    entries.push([name, bound.toString('utf8', nameEnd + 4, valueEnd)]);
    offset = valueEnd;
  }
  expect(offset).toBe(bound.length);
  return JSON.stringify(entries);
}
