import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { context, newCryptoService } from './crypto-service.ts';

const PIECE_BYTES = 65_536;
const STREAM_BYTES = 2 ** 30;
const WARM_UP_BYTES = 2 ** 27;
const ENVELOPE_BYTES = 2 ** 26;
const MIB = 2 ** 20;

let peakRss = 0;

export type StreamName = 'bare createCipheriv' | 'encryptStream' | 'decryptStream';

export interface StreamCost {
  readonly name: StreamName;
  readonly megabytesPerSecond: number;
  readonly cpuMs: number;
  /** Highest resident memory while it ran, less that before, after a warm-up of the same stream. */
  readonly rssGrowthMib: number;
}

/** Sends a GiB through a stream and drops what comes out. */
export async function stream(name: StreamName): Promise<StreamCost> {
  return streamCost(name, await newStream(name));
}

/** @returns what sends so many bytes through the stream */
async function newStream(name: StreamName): Promise<(bytes: number) => Promise<void>> {
  if (name === 'bare createCipheriv') {
    const key = createSecretKey(randomBytes(32));
    const cipher = () => createCipheriv('aes-256-gcm', key, randomBytes(12), { authTagLength: 16 });
    return (bytes) => pipeline(zeros(bytes), cipher(), sink());
  }
  const crypto = await newCryptoService('COBBLESTONE-256');
  if (name === 'encryptStream') {
    return async (bytes) => pipeline(zeros(bytes), await crypto.encryptStream(context), sink());
  }
  const envelope = await crypto.encrypt(Buffer.alloc(ENVELOPE_BYTES), context);
  return async (bytes) => {
    for (let left = bytes; left > 0; left -= ENVELOPE_BYTES) {
      await pipeline(pieces(envelope), crypto.decryptStream(context), sink());
    }
  };
}

async function streamCost(name: StreamName, run: (bytes: number) => Promise<void>): Promise<StreamCost> {
  await run(WARM_UP_BYTES);
  const rssBefore = process.memoryUsage.rss();
  peakRss = rssBefore;
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  await run(STREAM_BYTES);
  const elapsedMs = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(before);
  return {
    name,
    megabytesPerSecond: STREAM_BYTES / 1_000 / elapsedMs,
    cpuMs: (user + system) / 1_000,
    rssGrowthMib: (peakRss - rssBefore) / MIB,
  };
}

/** Drops what it gets and looks at the memory once a MiB. */
function sink(): Writable {
  let unseen = 0;
  return new Writable({
    write(piece: Buffer, _encoding, callback) {
      unseen += piece.length;
      if (unseen >= MIB) {
        unseen = 0;
        peakRss = Math.max(peakRss, process.memoryUsage.rss());
      }
      callback();
    },
  });
}

function zeros(bytes: number): Readable {
  const piece = Buffer.alloc(PIECE_BYTES);
  let left = bytes;
  return new Readable({
    read() {
      this.push(left > 0 ? piece : null);
      left -= PIECE_BYTES;
    },
  });
}

function pieces(bytes: Buffer): Readable {
  let offset = 0;
  return new Readable({
    read() {
      this.push(offset < bytes.length ? bytes.subarray(offset, offset + PIECE_BYTES) : null);
      offset += PIECE_BYTES;
    },
  });
}
