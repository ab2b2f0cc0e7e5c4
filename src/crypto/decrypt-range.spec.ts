import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CHUNK_BYTES, type ChunkCipher, ENCRYPTED_CHUNK_BYTES } from './chunk-cipher.js';
import { decryptRange, type EnvelopeReader } from './decrypt-range.js';
import { DecryptionError } from './errors.js';
import { MESSAGE_PREFIX_BYTES, randomKeyBytes, randomKeyId, SymmetricKey } from './symmetric-key.js';

const context = { purpose: 'secret', owner: 'ada', row: '7' };
const key = SymmetricKey.import(
  { id: randomKeyId(), purpose: 'secret', owner: 'ada', suite: 'COBBLESTONE-256' },
  randomKeyBytes(),
);
const plaintext = randomBytes(3 * CHUNK_BYTES + 100);
const envelope = key.encrypt(plaintext, context);
const chunkEnd = (chunks: number) => MESSAGE_PREFIX_BYTES + chunks * ENCRYPTED_CHUNK_BYTES;

describe('decryptRange', () => {
  it('gives what slice gives of the whole plaintext', async () => {
    const edges = [0, 1, 2, 3].flatMap((chunks) =>
      [0, 1, CHUNK_BYTES - 1].map((at) => chunks * CHUNK_BYTES + at),
    );
    const offset = fc.oneof(fc.nat(plaintext.length + 20_000), fc.constantFrom(...edges, plaintext.length));
    await fc.assert(
      fc.asyncProperty(offset, offset, async (one, other) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const range = await rangeOf(readerOf(envelope), start, end);
        expect(range.equals(plaintext.subarray(start, end))).toBe(true);
      }),
    );
  });

  it.each([0, CHUNK_BYTES, 2 * CHUNK_BYTES])(
    'reads a plaintext of %i bytes, an empty last chunk',
    async (length) => {
      const bytes = plaintext.subarray(0, length);
      const whole = await rangeOf(readerOf(key.encrypt(bytes, context)), 0, length + 1);
      expect(whole.equals(bytes)).toBe(true);
    },
  );

  it('reads more chunks than one request asks for', async () => {
    const long = randomBytes(130 * CHUNK_BYTES + 7);
    const reader = readerOf(key.encrypt(long, context));
    expect((await rangeOf(reader, 5, long.length)).equals(long.subarray(5))).toBe(true);
    expect(Math.max(...reader.lengths)).toBe(64 * ENCRYPTED_CHUNK_BYTES);
  });

  it('reads the prefix and the chunks of the range, nothing else', async () => {
    const reader = readerOf(envelope);
    await rangeOf(reader, CHUNK_BYTES + 1, CHUNK_BYTES + 2);
    expect(reader.lengths).toEqual([MESSAGE_PREFIX_BYTES, ENCRYPTED_CHUNK_BYTES]);
  });

  it('refuses any changed byte of the prefix and of a chunk it touches', async () => {
    const touched = fc.oneof(
      fc.nat(MESSAGE_PREFIX_BYTES - 1),
      fc.integer({ min: chunkEnd(1), max: chunkEnd(2) - 1 }),
    );
    await fc.assert(
      fc.asyncProperty(touched, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const forged = Buffer.from(envelope);
        forged[at]! ^= mask;
        expect(await isRefused(rangeOf(readerOf(forged), CHUNK_BYTES + 1, CHUNK_BYTES + 2))).toBe(true);
      }),
    );
  });

  it('does not look at the chunks beside it', async () => {
    const forged = Buffer.from(envelope);
    forged.fill(0, chunkEnd(2));
    const range = await rangeOf(readerOf(forged), CHUNK_BYTES, CHUNK_BYTES + 5);
    expect(range).toEqual(plaintext.subarray(CHUNK_BYTES, CHUNK_BYTES + 5));
  });

  it('refuses every false length when the range reaches the end that it claims', async () => {
    const lengths = [1, 2, 3].flatMap((chunks) =>
      [-1, 0, 1, 15, 16, 17].map((delta) => chunkEnd(chunks) + delta),
    );
    for (const length of [
      ...lengths,
      envelope.length - 1,
      envelope.length + 1,
      chunkEnd(4),
      chunkEnd(5) + 20,
    ]) {
      const padded = Buffer.concat([envelope, Buffer.alloc(2 * ENCRYPTED_CHUNK_BYTES)]);
      expect(await isRefused(rangeOf({ ...readerOf(padded), length }, 0, 10 * CHUNK_BYTES))).toBe(true);
      expect(
        await isRefused(rangeOf({ ...readerOf(padded), length }, 9 * CHUNK_BYTES, 10 * CHUNK_BYTES)),
      ).toBe(true);
    }
  });

  it('proves the end to one who asks beyond it', async () => {
    expect(await rangeOf(readerOf(envelope), plaintext.length, plaintext.length)).toHaveLength(0);
    expect(await rangeOf(readerOf(envelope), 10 * CHUNK_BYTES, 11 * CHUNK_BYTES)).toHaveLength(0);
    const cutOff = envelope.subarray(0, chunkEnd(2) + 16);
    expect(await isRefused(rangeOf(readerOf(cutOff), 10 * CHUNK_BYTES, 11 * CHUNK_BYTES))).toBe(true);
  });

  it('refuses a reader that gives too little, too much, or claims what can’t be', async () => {
    const reader = readerOf(envelope);
    expect(await isRefused(rangeOf({ ...reader, read: async () => Buffer.alloc(0) }, 0, 1))).toBe(true);
    expect(await isRefused(rangeOf({ ...reader, read: async () => envelope }, 0, 1))).toBe(true);
    for (const length of [-1, 0, 65, 66, 81, 0.5, Number.NaN, Infinity, 2 ** 53 - 1]) {
      expect(await isRefused(rangeOf({ ...reader, length }, 0, 1))).toBe(true);
    }
  });

  it.each([
    [-1, 1],
    [2, 1],
    [0.5, 1],
    [0, Number.NaN],
    [0, Infinity],
  ])('refuses the range %d to %d', async (start, end) => {
    await expect(rangeOf(readerOf(envelope), start, end)).rejects.toThrow(RangeError);
  });

  it('refuses another context', async () => {
    const other = { ...context, row: '8' };
    const start = async (prefix: Uint8Array) => key.startDecryption(prefix, other);
    expect(await isRefused(decryptRange(MESSAGE_PREFIX_BYTES, start, readerOf(envelope), 0, 1))).toBe(true);
  });
});

function rangeOf(reader: EnvelopeReader, start: number, end: number): Promise<Buffer> {
  return decryptRange(MESSAGE_PREFIX_BYTES, startDecryption, reader, start, end);
}

async function startDecryption(prefix: Uint8Array): Promise<ChunkCipher> {
  return key.startDecryption(prefix, context);
}

function readerOf(bytes: Buffer): EnvelopeReader & { lengths: number[] } {
  const lengths: number[] = [];
  return {
    lengths,
    length: bytes.length,
    read: async (offset, length) => {
      lengths.push(length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

async function isRefused(range: Promise<Buffer>): Promise<boolean> {
  return range.then(
    () => false,
    (error: unknown) => error instanceof DecryptionError,
  );
}
