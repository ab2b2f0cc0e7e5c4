import { Child } from './child.ts';
import type { CryptoApi, OperationCost } from './crypto.process.ts';
import type { StreamCost, StreamName } from './crypto-streams.ts';

export const SIZES = { '64 B': 64, '1 KiB': 1_024, '16 KiB': 16_384, '1 MiB': 1_048_576 };

export type CryptoSize = keyof typeof SIZES;

export interface CryptoResult {
  readonly operations: Readonly<Record<CryptoSize, readonly OperationCost[]>>;
  readonly streams: readonly StreamCost[];
}

/** Measures every operation in turns with bare AES-256-GCM, in a process for each size, and streams of 1 GiB. */
export async function measureCrypto(): Promise<CryptoResult> {
  return {
    operations: {
      '64 B': await operationsAt('64 B'),
      '1 KiB': await operationsAt('1 KiB'),
      '16 KiB': await operationsAt('16 KiB'),
      '1 MiB': await operationsAt('1 MiB'),
    },
    streams: [
      await streamOf('bare createCipheriv'),
      await streamOf('encryptStream'),
      await streamOf('decryptStream'),
    ],
  };
}

function operationsAt(size: CryptoSize): Promise<OperationCost[]> {
  return inChild((child) => child.call('operations', SIZES[size]));
}

function streamOf(name: StreamName): Promise<StreamCost> {
  return inChild((child) => child.call('stream', name));
}

async function inChild<Result>(use: (child: Child<CryptoApi>) => Promise<Result>): Promise<Result> {
  const child = new Child<CryptoApi>(new URL('crypto.process.ts', import.meta.url), {
    environment: { NODE_NO_WARNINGS: '1' },
    nodeOptions: ['--expose-gc'],
  });
  try {
    return await use(child);
  } finally {
    await child.stop();
  }
}
