import { CHUNK_BYTES, ENCRYPTED_CHUNK_BYTES, MAX_CHUNKS, TAG_BYTES } from './chunk-cipher.js';
import { type StartDecryption } from './decrypt-stream.js';
import { DecryptionError } from './errors.js';

/** Chunks that one `read` asks for at most: 1 MiB of plaintext. */
const CHUNKS_PER_READ = 64;

/** Random access to an envelope that is stored elsewhere. None of what it says is believed. */
export interface EnvelopeReader {
  /** Length of the whole envelope in bytes */
  readonly length: number;
  /** Exactly the bytes from `offset` to `offset + length`, all inside the envelope. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * The plaintext from `start` up to but without `end`, fewer bytes when the plaintext ends before. Only the
 * chunks that hold them are read and checked.
 *
 * A result that is shorter than asked, or reaches the end, is proof of the end: the last chunk, the only one
 * that is not full, was read and its tag binds its place. What lies outside of the chunks read is not
 * looked at: it may be changed, cut off or lengthened.
 *
 * @throws RangeError when not 0 ≤ start ≤ end, in whole numbers
 * @throws DecryptionError for whatever is wrong with the envelope, a reader that gives too little included
 */
export async function decryptRange(
  prefixBytes: number,
  startDecryption: StartDecryption,
  envelope: EnvelopeReader,
  start: number,
  end: number,
): Promise<Buffer> {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RangeError(`range is ${start} to ${end}, want 0 ≤ start ≤ end`);
  }
  const chunkBytes = envelope.length - prefixBytes;
  const lastIndex = Math.floor(chunkBytes / ENCRYPTED_CHUNK_BYTES);
  const lastBytes = chunkBytes - lastIndex * ENCRYPTED_CHUNK_BYTES;
  if (!Number.isSafeInteger(envelope.length) || chunkBytes < 0 || lastIndex >= MAX_CHUNKS) {
    throw new DecryptionError();
  }
  const cipher = await startDecryption(await readExactly(envelope, 0, prefixBytes));
  if (lastBytes < TAG_BYTES) throw new DecryptionError(cipher.keyId);

  // At or past the end the last chunk is read, though it may hold nothing: it shows that this is the end.
  const firstIndex = Math.min(Math.floor(start / CHUNK_BYTES), lastIndex);
  const claimedBytes = lastIndex * CHUNK_BYTES + lastBytes - TAG_BYTES;
  const endIndex = end >= claimedBytes ? lastIndex + 1 : Math.ceil(end / CHUNK_BYTES);
  const pieces: Buffer[] = [];
  for (let index = firstIndex; index < endIndex; index += CHUNKS_PER_READ) {
    const upTo = Math.min(index + CHUNKS_PER_READ, endIndex);
    const offset = index * ENCRYPTED_CHUNK_BYTES;
    const length = Math.min(upTo * ENCRYPTED_CHUNK_BYTES, chunkBytes) - offset;
    const chunks = await readExactly(envelope, prefixBytes + offset, length, cipher.keyId);
    for (let at = index; at < upTo; at++) {
      const chunkStart = (at - index) * ENCRYPTED_CHUNK_BYTES;
      const plaintext = cipher.decrypt(at, chunks.subarray(chunkStart, chunkStart + ENCRYPTED_CHUNK_BYTES));
      const chunkOffset = at * CHUNK_BYTES;
      pieces.push(plaintext.subarray(Math.max(start - chunkOffset, 0), Math.max(end - chunkOffset, 0)));
    }
  }
  return Buffer.concat(pieces);
}

async function readExactly(
  envelope: EnvelopeReader,
  offset: number,
  length: number,
  keyId?: string,
): Promise<Uint8Array> {
  if (offset + length > envelope.length) throw new DecryptionError(keyId);
  const bytes = await envelope.read(offset, length);
  if (bytes.length !== length) throw new DecryptionError(keyId);
  return bytes;
}
