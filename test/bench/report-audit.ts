import { type AuditResult, type SecretReads } from './measure-audit.ts';
import { table } from './table.ts';
import { atMost, type Target } from './target.ts';

export function auditTargets({ verification, sqlite, postgres }: AuditResult): Target[] {
  return [
    atMost(60, `verifying ${verification.events} audit events`, verification.elapsedMs / 1_000, 's'),
    atMost(32, 'more memory for it', verification.extraMib, 'MiB'),
    ...readTargets('SQLite', sqlite),
    ...(postgres ? readTargets('PostgreSQL', postgres) : []),
  ];
}

export function renderAudit({ connections, verification, sqlite, postgres }: AuditResult): string {
  const { events, elapsedMs, cpuMs, extraMib } = verification;
  const rows = { SQLite: sqlite, ...(postgres && { PostgreSQL: postgres }) };
  return [
    `${events} audit events verified in ${(elapsedMs / 1_000).toFixed(1)} s, ${(cpuMs / 1_000).toFixed(1)} s CPU, ${extraMib.toFixed(0)} MiB more memory`,
    `${connections} connections read a secret of 1 KiB, each read recorded on the disk before its answer`,
    table([
      ['', 'contact, CPU µs', 'secret, CPU µs', '×', '(least to most)', 'requests/s', 'p99 ms'],
      ...Object.entries(rows).map(([name, reads]) => [
        name,
        reads.contactCpuMicros.toFixed(1),
        reads.secretCpuMicros.toFixed(1),
        reads.cpuRatio.median.toFixed(2),
        `${reads.cpuRatio.least.toFixed(2)} to ${reads.cpuRatio.most.toFixed(2)}`,
        reads.requestsPerSecond.toFixed(0),
        reads.p99Ms.toFixed(1),
      ]),
    ]),
  ].join('\n');
}

function readTargets(database: string, { cpuRatio, p99Ms }: SecretReads): Target[] {
  return [
    atMost(2, `secret read on ${database}, CPU of a contact read`, cpuRatio.median, '×'),
    atMost(50, `its p99 on ${database}`, p99Ms, 'ms'),
  ];
}
