import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CHUNK_BYTES } from './chunk-cipher.js';
import { type EncryptionContext } from './encryption-context.js';
import { encodeHeader } from './envelope.js';
import { DecryptionError } from './errors.js';
import { type SuiteName, suites } from './suites.js';
import { randomKeyBytes, randomKeyId, SymmetricKey } from './symmetric-key.js';

const suiteNames: readonly SuiteName[] = ['COBBLESTONE-256', 'XAES-256-GCM'];
const overheadBytes: Readonly<Record<SuiteName, number>> = { 'COBBLESTONE-256': 82, 'XAES-256-GCM': 50 };
const context = { purpose: 'secret', owner: 'ada', table: 'secrets', column: 'data', row: '7', version: '1' };
const PLAINTEXT = Buffer.from('attack at dawn');

describe.each(suiteNames)('a %s key', (suite) => {
  it('decrypts what it encrypted', () => {
    const key = newKey(suite);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.dictionary(fc.string(), fc.string()),
        (plaintext, entries) => {
          const anyContext = { ...entries, purpose: 'p', owner: 'o' };
          const decrypted = key.decrypt(key.encrypt(plaintext, anyContext), anyContext);
          expect(decrypted.equals(plaintext)).toBe(true);
        },
      ),
    );
  });

  it.each([-1, 0, 1].flatMap((delta) => [1, 2, 3].map((chunks) => chunks * CHUNK_BYTES + delta)))(
    'decrypts %i bytes, at the edge of a chunk',
    (length) => {
      const key = newKey(suite);
      const plaintext = Buffer.alloc(length, 'edge');
      expect(key.decrypt(key.encrypt(plaintext, context), context).equals(plaintext)).toBe(true);
    },
  );

  it('makes an envelope as much longer as documented', () => {
    const key = newKey(suite);
    for (const length of [0, 1, 64, CHUNK_BYTES - 1]) {
      expect(key.encrypt(Buffer.alloc(length), context)).toHaveLength(length + overheadBytes[suite]);
    }
  });

  it('starts the envelope with version, suite and key id', () => {
    const key = newKey(suite);
    const envelope = key.encrypt(PLAINTEXT, context);
    expect(envelope.subarray(0, 10)).toEqual(encodeHeader(suites[suite].id, key.id));
  });

  it('never encrypts to the same bytes twice', () => {
    const key = newKey(suite);
    const envelopes = new Set<string>();
    for (let count = 0; count < 1000; count++) envelopes.add(key.encrypt(PLAINTEXT, context).toString('hex'));
    expect(envelopes.size).toBe(1000);
  });

  it('refuses an envelope with any bit changed', () => {
    const key = newKey(suite);
    const envelope = key.encrypt(PLAINTEXT, context);
    for (let bit = 0; bit < 8 * envelope.length; bit++) {
      const changed = Buffer.from(envelope);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(isRefused(key, changed, context)).toBe(true);
    }
  });

  it('refuses an envelope cut at any length or with bytes added', () => {
    const key = newKey(suite);
    const envelope = key.encrypt(PLAINTEXT, context);
    for (let length = 0; length < envelope.length; length++) {
      expect(isRefused(key, envelope.subarray(0, length), context)).toBe(true);
      expect(isRefused(key, envelope.subarray(envelope.length - length), context)).toBe(true);
    }
    expect(isRefused(key, Buffer.concat([envelope, Buffer.alloc(1)]), context)).toBe(true);
    expect(isRefused(key, Buffer.concat([Buffer.alloc(1), envelope]), context)).toBe(true);
  });

  it.each(Object.keys(context))('refuses another, a missing and a renamed context entry: %s', (entry) => {
    const key = newKey(suite);
    const envelope = key.encrypt(PLAINTEXT, context);
    const entries = new Map(Object.entries(context));
    const value = entries.get(entry) ?? '';
    expect(isRefused(key, envelope, contextOf(new Map(entries).set(entry, `${value}x`)))).toBe(true);
    expect(isRefused(key, envelope, contextOf(new Map(entries).set(entry, '')))).toBe(true);
    entries.delete(entry);
    expect(isRefused(key, envelope, contextOf(entries))).toBe(true);
    expect(isRefused(key, envelope, contextOf(entries.set(`${entry}2`, value)))).toBe(true);
  });

  it('refuses an added context entry, an empty one too', () => {
    const key = newKey(suite);
    const envelope = key.encrypt(PLAINTEXT, context);
    expect(isRefused(key, envelope, { ...context, extra: '1' })).toBe(true);
    expect(isRefused(key, envelope, { ...context, '': '' })).toBe(true);
  });

  it('refuses another key, even one with the same id', () => {
    const key = newKey(suite);
    expect(isRefused(newKey(suite), key.encrypt(PLAINTEXT, context), context)).toBe(true);
    expect(isRefused(newKey(suite, key.id), key.encrypt(PLAINTEXT, context), context)).toBe(true);
  });

  it('names its id in the error and nothing else', () => {
    const key = newKey(suite);
    expect(() => key.decrypt(Buffer.alloc(200), context)).toThrow(
      expect.objectContaining({ message: 'ciphertext cannot be decrypted', keyId: key.id }),
    );
  });

  it('takes the key over: the source is zero, the key still decrypts', () => {
    const raw = randomKeyBytes();
    const copy = Buffer.from(raw);
    const parameters = { id: randomKeyId(), purpose: 'p', owner: 'o', suite };
    const key = SymmetricKey.import(parameters, raw);
    expect(raw.equals(Buffer.alloc(32))).toBe(true);
    const envelope = key.encrypt(PLAINTEXT, context);
    expect(SymmetricKey.import(parameters, copy).decrypt(envelope, context)).toEqual(PLAINTEXT);
  });

  it.each([0, 16, 31, 33, 64])('refuses a key of %i bytes and still fills it with zeros', (length) => {
    const raw = Buffer.alloc(length, 1);
    const parameters = { id: '0123456789abcdef', purpose: 'p', owner: 'o', suite };
    expect(() => SymmetricKey.import(parameters, raw)).toThrow(
      `data key 0123456789abcdef is ${length} bytes, want 32`,
    );
    expect(raw.equals(Buffer.alloc(length))).toBe(true);
  });

  it('shows no key byte when logged or serialised', () => {
    const raw = Buffer.alloc(32, 0x6b);
    const key = SymmetricKey.import({ id: '0123456789abcdef', purpose: 'p', owner: 'o', suite }, raw);
    const parameters = { id: '0123456789abcdef', purpose: 'p', owner: 'o', suite };
    expect(JSON.parse(JSON.stringify(key))).toEqual(parameters);
    const shown = inspect(key, { showHidden: true, depth: Infinity });
    expect(shown).not.toMatch(/6b ?6b|kk|107/);
    expect(Reflect.ownKeys(key)).toEqual(Object.keys(parameters));
  });
});

describe('a key of one suite', () => {
  it('refuses an envelope relabelled to the other suite', () => {
    const [id, raw] = [randomKeyId(), randomKeyBytes()];
    const cobblestone = importKey('COBBLESTONE-256', id, Buffer.from(raw));
    const xaes = importKey('XAES-256-GCM', id, Buffer.from(raw));
    const envelope = cobblestone.encrypt(PLAINTEXT, context);
    expect(isRefused(xaes, envelope, context)).toBe(true);
    envelope[1] = suites['XAES-256-GCM'].id;
    expect(isRefused(xaes, envelope, context)).toBe(true);
    expect(isRefused(cobblestone, envelope, context)).toBe(true);
  });
});

describe('a multi-chunk envelope', () => {
  const key = newKey('COBBLESTONE-256');
  const envelope = key.encrypt(Buffer.alloc(3 * CHUNK_BYTES + 5, 'x'), context);
  const START = 66;
  const SIZE = CHUNK_BYTES + 16;
  const chunk = (index: number) => envelope.subarray(START + index * SIZE, START + (index + 1) * SIZE);

  it('is refused when cut at a chunk boundary', () => {
    for (let chunks = 0; chunks <= 3; chunks++)
      expect(isRefused(key, envelope.subarray(0, START + chunks * SIZE), context)).toBe(true);
  });

  it('is refused when chunks are swapped, repeated or dropped', () => {
    for (const order of [[1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 1, 3], [0, 2, 3], [0, 1, 2, 3, 3], [3]]) {
      expect(isRefused(key, Buffer.concat([envelope.subarray(0, START), ...order.map(chunk)]), context)).toBe(
        true,
      );
    }
  });
});

function newKey(suite: SuiteName, id = randomKeyId()): SymmetricKey {
  return importKey(suite, id, randomKeyBytes());
}

function importKey(suite: SuiteName, id: string, raw: Buffer): SymmetricKey {
  return SymmetricKey.import({ id, purpose: context.purpose, owner: context.owner, suite }, raw);
}

function contextOf(entries: ReadonlyMap<string, string>): EncryptionContext {
  return JSON.parse(JSON.stringify(Object.fromEntries(entries)));
}

function isRefused(key: SymmetricKey, envelope: Uint8Array, otherContext: EncryptionContext): boolean {
  try {
    key.decrypt(envelope, otherContext);
    return false;
  } catch (error) {
    if (error instanceof DecryptionError) return true;
    throw error;
  }
}
