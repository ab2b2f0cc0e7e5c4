import { type CryptoResult, type CryptoSize, SIZES } from './measure-crypto.ts';
import { table } from './table.ts';
import { atLeast, atMost, type Target } from './target.ts';

/** What the project promises of its cryptography. */
export function cryptoTargets({ operations, streams }: CryptoResult): Target[] {
  const ratio = (size: CryptoSize, name: string) =>
    operations[size].find((cost) => cost.name === name)?.ratio ?? Number.NaN;
  const small = { '0x02': 3, '0x01': 4.5 };
  const large = { '0x02': 0.8, '0x01': 0.3 };
  const suites = ['0x02', '0x01'] as const;
  const directions = ['encrypt', 'decrypt'] as const;
  const each = (target: (suite: '0x02' | '0x01', name: string) => Target) =>
    suites.flatMap((suite) => directions.map((direction) => target(suite, `${suite} ${direction}`)));
  return [
    ...each((suite, name) => atMost(small[suite], `${name} 64 B, CPU of bare`, ratio('64 B', name), '×')),
    ...each((suite, name) =>
      atLeast(large[suite], `${name} 1 MiB, throughput of bare`, 1 / ratio('1 MiB', name), '×'),
    ),
    ...streams
      .filter(({ name }) => !name.startsWith('bare'))
      .flatMap(({ name, megabytesPerSecond, rssGrowthMib }) => [
        atLeast(500, `${name} of 1 GiB`, megabytesPerSecond, 'MB/s'),
        atMost(64, `${name}, growth of resident memory`, rssGrowthMib, 'MiB'),
      ]),
  ];
}

export function renderCrypto({ operations, streams }: CryptoResult): string {
  const sizes = Object.keys(SIZES).filter(isSize);
  const names = operations['64 B'].map(({ name }) => name);
  const cell = (size: CryptoSize, name: string) => {
    const cost = operations[size].find((candidate) => candidate.name === name);
    if (cost === undefined) return '';
    return (
      cost.cpuMicros.toFixed(1) +
      (cost.ratio === undefined ? '        ' : ` ${cost.ratio.toFixed(2).padStart(5)} ×`)
    );
  };
  const row = (name: string) => [name].concat(sizes.map((size) => cell(size, name)));
  return [
    'CPU µs an operation and × bare AES-256-GCM with a KeyObject, medians of turns',
    table([['', ...sizes], ...names.map(row)]),
    'bare encrypt is the cipher alone: nonce, ciphertext and tag stay apart; `to a message` joins them, as both suites do',
    '',
    'streams of 1 GiB in pieces of 64 KiB; decryptStream: 16 envelopes of 64 MiB',
    table([
      ['', 'MB/s', 'CPU ms', 'RSS growth MiB'],
      ...streams.map((stream) => [
        stream.name,
        stream.megabytesPerSecond.toFixed(0),
        stream.cpuMs.toFixed(0),
        stream.rssGrowthMib.toFixed(1),
      ]),
    ]),
  ].join('\n');
}

function isSize(name: string): name is CryptoSize {
  return Object.hasOwn(SIZES, name);
}
