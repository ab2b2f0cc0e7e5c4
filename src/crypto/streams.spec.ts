import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cut, type Outcome, readAll } from '../../test/support/read-all.js';
import { CHUNK_BYTES, ENCRYPTED_CHUNK_BYTES } from './chunk-cipher.js';
import { decryptStream } from './decrypt-stream.js';
import { encryptStream } from './encrypt-stream.js';
import { DecryptionError } from './errors.js';
import { MESSAGE_PREFIX_BYTES, randomKeyBytes, randomKeyId, SymmetricKey } from './symmetric-key.js';

const context = { purpose: 'secret', owner: 'ada', table: 'files', row: '7', version: '1' };
const key = newKey();
const edges = [0, 1, 2, 3].flatMap((chunks) => [-1, 0, 1].map((delta) => chunks * CHUNK_BYTES + delta));
const lengths = edges.filter((length) => length >= 0);

describe('encryptStream', () => {
  it.each(lengths)('makes an envelope of %i bytes that decrypt takes as one value', async (length) => {
    const plaintext = randomBytes(length);
    const { output, error } = await encrypt([plaintext]);
    expect(error).toBeUndefined();
    expect(output).toHaveLength(length + 66 + (Math.floor(length / CHUNK_BYTES) + 1) * 16);
    expect(key.decrypt(output, context).equals(plaintext)).toBe(true);
  });

  it('makes the same plaintext of pieces of any size', async () => {
    const plaintext = randomBytes(2 * CHUNK_BYTES + 100);
    await fc.assert(
      fc.asyncProperty(pieceSizes(), async (sizes) => {
        const { output } = await encrypt(cut(plaintext, sizes));
        expect(key.decrypt(output, context).equals(plaintext)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('makes an envelope of no write at all', async () => {
    const { output } = await encrypt([]);
    expect(output).toHaveLength(82);
    expect(key.decrypt(output, context)).toHaveLength(0);
  });

  it('refuses a key whose suite holds values in memory', () => {
    const parameters = { id: randomKeyId(), purpose: 'secret', owner: 'ada', suite: 'XAES-256-GCM' } as const;
    const compact = SymmetricKey.import(parameters, randomKeyBytes());
    expect(() => compact.startEncryption(context)).toThrow('is of suite XAES-256-GCM, want COBBLESTONE-256');
    expect(() => compact.startDecryption(compact.encrypt(Buffer.alloc(50), context), context)).toThrow(
      DecryptionError,
    );
  });
});

describe('decryptStream', () => {
  it.each(lengths)(
    'takes an envelope of %i bytes that encrypt made, in pieces of any size',
    async (length) => {
      const plaintext = randomBytes(length);
      const envelope = key.encrypt(plaintext, context);
      await fc.assert(
        fc.asyncProperty(pieceSizes(), async (sizes) => {
          const { output, error } = await decrypt(cut(envelope, sizes));
          expect(error).toBeUndefined();
          expect(output.equals(plaintext)).toBe(true);
        }),
        { numRuns: 8 },
      );
    },
  );

  it('takes one byte at a time', async () => {
    const envelope = key.encrypt(Buffer.alloc(CHUNK_BYTES + 3, 'x'), context);
    const { output, error } = await decrypt(cut(envelope, [1]));
    expect(error).toBeUndefined();
    expect(output).toEqual(Buffer.alloc(CHUNK_BYTES + 3, 'x'));
  });

  it('refuses a short envelope cut at any length, with a byte added or any bit changed', async () => {
    const envelope = key.encrypt(Buffer.from('attack at dawn'), context);
    const changed = Array.from({ length: envelope.length * 8 }, (_, bit) => {
      const copy = Buffer.from(envelope);
      copy[bit >> 3]! ^= 1 << (bit & 7);
      return copy;
    });
    const cuts = Array.from(envelope.keys(), (length) => envelope.subarray(0, length));
    for (const forged of [...changed, ...cuts, Buffer.concat([envelope, Buffer.alloc(1)])]) {
      expect(isRefusal(await decrypt([forged]), Buffer.alloc(0))).toBe(true);
    }
  });

  const plaintext = randomBytes(3 * CHUNK_BYTES + 5);
  const envelope = key.encrypt(plaintext, context);
  const prefix = envelope.subarray(0, MESSAGE_PREFIX_BYTES);
  const chunks = cut(envelope.subarray(MESSAGE_PREFIX_BYTES), [ENCRYPTED_CHUNK_BYTES]);

  it.each([0, 1, 2, 3])(
    'refuses an envelope cut after chunk %i, at the boundary and beside it',
    async (count) => {
      const boundary = MESSAGE_PREFIX_BYTES + count * ENCRYPTED_CHUNK_BYTES;
      for (const delta of [-1, 0, 1, 15, 16, 17]) {
        const { output, error } = await decrypt([envelope.subarray(0, boundary + delta)]);
        expect(error).toBeInstanceOf(DecryptionError);
        expect(plaintext.subarray(0, output.length).equals(output)).toBe(true);
        expect(output.length % CHUNK_BYTES).toBe(0);
      }
    },
  );

  it.each([
    ['swapped', [1, 0, 2, 3], 0],
    ['repeated', [0, 0, 1, 2, 3], 1],
    ['dropped at the start', [1, 2, 3], 0],
    ['dropped in the middle', [0, 2, 3], 1],
    ['dropped at the end', [0, 1, 2], 3],
    ['repeated at the end', [0, 1, 2, 3, 3], 3],
    ['put behind the last', [0, 1, 3, 2], 2],
  ])('refuses chunks %s, and gives out none but those before', async (_how, order, sound) => {
    const forged = Buffer.concat([prefix, ...order.map((index) => chunks[index]!)]);
    expect(isRefusal(await decrypt([forged]), plaintext.subarray(0, sound * CHUNK_BYTES))).toBe(true);
  });

  it('refuses a chunk of another message under the same key and context', async () => {
    const other = key.encrypt(plaintext, context);
    const forged = Buffer.concat([envelope.subarray(0, -21), other.subarray(-21)]);
    expect(isRefusal(await decrypt([forged]), plaintext.subarray(0, 3 * CHUNK_BYTES))).toBe(true);
  });

  it('gives out nothing of a chunk with any of some bytes changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(envelope.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const forged = Buffer.from(envelope);
        forged[at]! ^= mask;
        const chunk = Math.max(0, Math.floor((at - MESSAGE_PREFIX_BYTES) / ENCRYPTED_CHUNK_BYTES));
        expect(isRefusal(await decrypt([forged]), plaintext.subarray(0, chunk * CHUNK_BYTES))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it.each(Object.keys(context))(
    'refuses another context entry before anything comes out: %s',
    async (entry) => {
      const other = { ...context, [entry]: 'x' };
      const refused = decryptStream(MESSAGE_PREFIX_BYTES, async (start) => key.startDecryption(start, other));
      expect(isRefusal(await readAll([envelope], refused), Buffer.alloc(0))).toBe(true);
    },
  );

  it('refuses another key with the same id', async () => {
    const other = newKey(key.id);
    const refused = decryptStream(MESSAGE_PREFIX_BYTES, async (start) =>
      other.startDecryption(start, context),
    );
    expect(isRefusal(await readAll([envelope], refused), Buffer.alloc(0))).toBe(true);
  });
});

function encrypt(pieces: readonly Uint8Array[]): Promise<Outcome> {
  return readAll(pieces, encryptStream(key.startEncryption(context)));
}

function decrypt(pieces: readonly Uint8Array[]): Promise<Outcome> {
  return readAll(
    pieces,
    decryptStream(MESSAGE_PREFIX_BYTES, async (prefix) => key.startDecryption(prefix, context)),
  );
}

/** @param sound what may have come out before the error. A destroyed stream drops what nobody has read yet. */
function isRefusal({ output, error }: Outcome, sound: Buffer): boolean {
  return error instanceof DecryptionError && sound.subarray(0, output.length).equals(output);
}

function pieceSizes() {
  return fc.array(fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.constantFrom(...edges.slice(4))), {
    minLength: 1,
    maxLength: 5,
  });
}

function newKey(id = randomKeyId()): SymmetricKey {
  return SymmetricKey.import(
    { id, purpose: 'secret', owner: 'ada', suite: 'COBBLESTONE-256' },
    randomKeyBytes(),
  );
}
