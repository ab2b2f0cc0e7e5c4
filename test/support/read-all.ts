import { Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What a stream made of its input before it ended or failed. */
export interface Outcome {
  readonly output: Buffer;
  readonly error: unknown;
}

/** Writes the pieces, reads everything, and keeps what came out before an error as well. */
export async function readAll(pieces: Iterable<Uint8Array>, transform: Transform): Promise<Outcome> {
  const output: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      // A copy, so that a buffer which is used again would show.
      output.push(Buffer.from(chunk));
      callback();
    },
  });
  const error: unknown = await pipeline(Readable.from(pieces, { objectMode: false }), transform, sink).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { output: Buffer.concat(output), error };
}

/** The bytes in pieces of these sizes, in turns; every piece has memory of its own. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    pieces.push(Buffer.from(bytes.subarray(offset, offset + size)));
    offset += size;
  }
  return pieces;
}
