import { type AuditResult } from './measure-audit.ts';
import { type CryptoResult } from './measure-crypto.ts';
import { type HttpResult } from './measure-http.ts';
import { type ListResult } from './measure-list.ts';
import { type LoginsResult } from './measure-logins.ts';
import { type RewrapResult } from './measure-rewrap.ts';
import { type StartResult } from './measure-start.ts';
import { auditTargets, renderAudit } from './report-audit.ts';
import { cryptoTargets, renderCrypto } from './report-crypto.ts';
import { type TlsResult } from './measure-tls.ts';
import { renderTls, tlsTargets } from './report-tls.ts';
import { table } from './table.ts';
import { atLeast, atMost, type Target } from './target.ts';

export interface Results {
  readonly http: HttpResult | undefined;
  readonly tls: TlsResult | undefined;
  readonly logins: LoginsResult | undefined;
  readonly start: StartResult | undefined;
  readonly crypto: CryptoResult | undefined;
  readonly rewrap: RewrapResult | undefined;
  readonly list: ListResult | undefined;
  readonly audit: AuditResult | undefined;
}

const PERCENT = 100;

/** What the project promises, for the parts that were measured. */
export function targets({ http, tls, logins, start, crypto, rewrap, list, audit }: Results): Target[] {
  return [
    ...(http ? [atMost(3.5, 'contact read, CPU of the bare server', http.contact.cpuRatio.median, '×')] : []),
    ...(tls ? tlsTargets(tls) : []),
    ...(logins
      ? [
          atLeast(90, 'logins, of the Argon2id bound', logins.ofBound.median * PERCENT, '%'),
          atMost(50, '/health/live p99 meanwhile', logins.liveP99Ms.median, 'ms'),
        ]
      : []),
    ...(start
      ? [
          atMost(1_500, 'npm run start:prod to the first 200', start.npmMs, 'ms'),
          atMost(150, 'resident memory after it', start.rssMib, 'MiB'),
        ]
      : []),
    ...(crypto ? cryptoTargets(crypto) : []),
    ...(rewrap
      ? [
          atMost(15_000, `re-wrapping ${rewrap.dataKeys} data keys, CPU`, rewrap.cpuMs, 'ms'),
          atMost(
            2,
            'contact read p99 meanwhile, of its quiet p99',
            rewrap.p99DuringMs / rewrap.p99QuietMs,
            '×',
          ),
        ]
      : []),
    ...(list ? [atMost(20, `listing ${list.limit} of ${list.secrets} secrets, p99`, list.p99Ms, 'ms')] : []),
    ...(audit ? auditTargets(audit) : []),
  ];
}

export function render(results: Results): string {
  const parts = [
    results.http && renderHttp(results.http),
    results.tls && renderTls(results.tls),
    results.logins && renderLogins(results.logins),
    results.start && renderStart(results.start),
    results.crypto && renderCrypto(results.crypto),
    results.rewrap && renderRewrap(results.rewrap),
    results.list && renderList(results.list),
    results.audit && renderAudit(results.audit),
    table([['target', 'want', 'got', ''], ...targets(results).map(targetRow)]),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function renderHttp({
  connections,
  rounds,
  requestsPerRound,
  bare,
  live,
  contact,
  rssAfterLoadMib,
}: HttpResult) {
  const rows = { 'bare node:https': bare, 'GET /health/live': live, 'GET /v1/contacts/{id}': contact };
  return [
    `${connections} connections, ${rounds} rounds of ${requestsPerRound} requests each in turns; medians`,
    table([
      ['', 'CPU µs/request', '× bare', '(least to most)', 'requests/s', 'p50 ms', 'p99 ms'],
      ...Object.entries(rows).map(([name, figures]) => [
        name,
        figures.cpuMicrosPerRequest.toFixed(1),
        figures.cpuRatio.median.toFixed(2),
        `${figures.cpuRatio.least.toFixed(2)} to ${figures.cpuRatio.most.toFixed(2)}`,
        figures.requestsPerSecond.toFixed(0),
        figures.p50Ms.toFixed(2),
        figures.p99Ms.toFixed(2),
      ]),
    ]),
    `resident memory after this load: ${rssAfterLoadMib.toFixed(0)} MiB`,
  ].join('\n');
}

function renderLogins(logins: LoginsResult) {
  const { median, least, most } = logins.ofBound;
  return [
    `${logins.connections} connections log in, ${logins.rounds} rounds, the Argon2id bound measured before and after each`,
    table([
      ['', 'per second', 'p50 ms', 'p99 ms'],
      ['Argon2id bound', logins.boundPerSecond.toFixed(1), '', ''],
      ['logins', logins.loginsPerSecond.toFixed(1), logins.p50Ms.toFixed(1), logins.p99Ms.toFixed(1)],
    ]),
    `logins of bound: ${[median, least, most].map((part) => `${(part * PERCENT).toFixed(1)} %`).join(', ')} (median, least, most)`,
    `/health/live meanwhile, ${logins.liveProbes} probes: p99 ${logins.liveP99Ms.median.toFixed(1)} ms, worst round ${logins.liveP99Ms.most.toFixed(1)} ms`,
  ].join('\n');
}

function renderStart({ starts, npmMs, nodeMs, rssMib }: StartResult) {
  return [
    `median of ${starts} starts`,
    table([
      ['', 'first 200 after ms', 'RSS MiB'],
      ['npm run start:prod', npmMs.toFixed(0), ''],
      ['node … dist/main.js', nodeMs.toFixed(0), rssMib.toFixed(0)],
    ]),
  ].join('\n');
}

function renderRewrap({ dataKeys, cpuMs, p99DuringMs, p99QuietMs }: RewrapResult) {
  return [
    `${dataKeys} data keys re-wrapped under a new key-encryption key: ${cpuMs.toFixed(0)} ms CPU`,
    `contact read p99 while the server does it: ${p99DuringMs.toFixed(1)} ms, afterwards ${p99QuietMs.toFixed(1)} ms`,
  ].join('\n');
}

function renderList({
  secrets,
  limit,
  connections,
  cpuMsPerRequest,
  requestsPerSecond,
  p50Ms,
  p99Ms,
}: ListResult) {
  return [
    `a page of ${limit} of ${secrets} secrets by prefix, ${connections} connections: ${cpuMsPerRequest.toFixed(2)} ms CPU a request,`,
    `${requestsPerSecond.toFixed(0)} requests/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
  ].join(' ');
}

function targetRow({ name, got, unit, atMost, atLeast, isMet }: Target): string[] {
  const want = atMost === undefined ? `≥ ${atLeast} ${unit}` : `≤ ${atMost} ${unit}`;
  return [name, want, `${got.toFixed(unit === '×' ? 2 : 0)} ${unit}`, isMet ? 'met' : 'missed'];
}
