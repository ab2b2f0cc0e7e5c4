/**
 * `npm run bench`: what the built server costs beside a bare one, in one run on this machine, and
 * whether the project's targets are met. About eight minutes; needs Linux or macOS.
 *
 *     npm run bench                          every part
 *     npm run bench -- http                  one part: http, tls, logins, start, crypto, rewrap, list or audit; or several
 *     npm run --silent bench -- --json       JSON alone on standard output: machine, every part, targets
 *     npm run bench -- http --cpu-prof=.     also writes contact.cpuprofile there
 *
 * It ends with 0 when it could measure, targets missed or met: a busy machine is no failed check.
 */
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Deployment, withDeployment } from './deployment.ts';
import { measureAudit } from './measure-audit.ts';
import { measureCrypto } from './measure-crypto.ts';
import { measureHttp } from './measure-http.ts';
import { measureList } from './measure-list.ts';
import { measureLogins } from './measure-logins.ts';
import { measureRewrap } from './measure-rewrap.ts';
import { measureStart } from './measure-start.ts';
import { measureTls } from './measure-tls.ts';
import { render, type Results, targets } from './report.ts';

const TIMEOUT_MS = 900_000;

const { values: options, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, 'cpu-prof': { type: 'string' } },
  allowPositionals: true,
});

const parts = ['http', 'tls', 'logins', 'start', 'crypto', 'rewrap', 'list', 'audit'] as const;
const unknown = positionals.find((name) => !parts.some((part) => part === name));

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
setTimeout(() => fail(`took longer than ${TIMEOUT_MS / 1_000} s`), TIMEOUT_MS).unref();

if (unknown === undefined) await benchmark();
else fail(`has no part ${unknown}, want ${parts.join(', ')}`);

async function benchmark(): Promise<void> {
  const machine = { node: process.version, cpus: availableParallelism(), loadAverage: loadavg()[0] ?? 0 };
  const results: Results = {
    http: await part('http', (deployment) => measureHttp(deployment, options['cpu-prof'])),
    tls: await part('tls', measureTls),
    logins: await part('logins', measureLogins),
    start: await part('start', measureStart),
    crypto: isWanted('crypto') ? await measureCrypto() : undefined,
    rewrap: await part('rewrap', measureRewrap),
    list: await part('list', measureList),
    audit: await part('audit', measureAudit),
  };
  const about = `Node.js ${machine.node}, ${machine.cpus} CPUs, load average before ${machine.loadAverage.toFixed(1)}`;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ machine, ...results, targets: targets(results) })}\n`
      : `${about}\n\n${render(results)}\n`,
  );
}

/** Each on a deployment of its own, so that none depends on what ran before it. */
async function part<Result>(
  name: (typeof parts)[number],
  measure: (deployment: Deployment) => Promise<Result>,
): Promise<Result | undefined> {
  return isWanted(name) ? withDeployment(measure) : undefined;
}

function isWanted(name: (typeof parts)[number]): boolean {
  if (positionals.length > 0 && !positionals.includes(name)) return false;
  process.stderr.write(`measuring ${name} …\n`);
  return true;
}

function fail(message: string): never {
  process.stderr.write(`the benchmark ${message}\n`);
  process.exit(1);
}
