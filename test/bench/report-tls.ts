import { type TlsResult } from './measure-tls.ts';
import { table } from './table.ts';
import { atLeast, type Target } from './target.ts';

const PERCENT = 100;

export function tlsTargets({ server: { full, resumed } }: TlsResult): Target[] {
  return [
    atLeast(90, 'full TLS 1.3 handshakes, of the bare server', full.ofBare.median * PERCENT, '%'),
    atLeast(90, 'resumed handshakes, of the bare server', resumed.ofBare.median * PERCENT, '%'),
  ];
}

export function renderTls({ connections, rounds, handshakesPerRound, bare, server }: TlsResult): string {
  const rows = {
    'bare node:https, full': bare.full,
    'server, full': server.full,
    'bare node:https, resumed': bare.resumed,
    'server, resumed': server.resumed,
  };
  return [
    `TLS 1.3, ${connections} connections at a time, ${rounds} rounds of ${handshakesPerRound} handshakes each in turns; medians`,
    table([
      ['', 'handshakes/s', 'of bare', '(least to most)', 'CPU µs', 'of bare by CPU'],
      ...Object.entries(rows).map(([name, { perSecond, cpuMicros, ofBare, ofBareByCpu }]) => [
        name,
        perSecond.toFixed(0),
        ofBare.median.toFixed(2),
        `${ofBare.least.toFixed(2)} to ${ofBare.most.toFixed(2)}`,
        cpuMicros.toFixed(0),
        ofBareByCpu.median.toFixed(2),
      ]),
    ]),
  ].join('\n');
}
