import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TESTSSL_TIMEOUT_MS = 900_000;

/** What sslscan finds that a server takes, each list sorted. */
export interface ScannedSets {
  readonly protocols: readonly string[];
  /** Version and name. */
  readonly suites: readonly string[];
  /** Of TLS 1.3: under 1.2 a group also has to suit the certificate. */
  readonly groups: readonly string[];
}

/** Asks sslscan. The port is on 127.0.0.1. */
export async function scanSets(port: number): Promise<ScannedSets> {
  const { stdout } = await run('sslscan', ['--xml=-', '--sni-name=localhost', `127.0.0.1:${port}`]);
  const elements = [...stdout.matchAll(/<(protocol|cipher|group) ([^>]*)\/>/g)].map(
    ([, name, text = '']) => ({
      name,
      attributes: Object.fromEntries(
        [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
      ),
    }),
  );
  const of = (name: string) => elements.filter((element) => element.name === name).map((e) => e.attributes);
  return {
    protocols: of('protocol')
      .filter(({ enabled }) => enabled === '1')
      .map(({ type = '', version = '' }) => `${type} ${version}`)
      .toSorted(),
    suites: of('cipher')
      .map(({ sslversion = '', cipher = '' }) => `${sslversion} ${cipher}`)
      .toSorted(),
    groups: of('group')
      .filter(({ sslversion }) => sslversion === 'TLSv1.3')
      .map(({ name = '' }) => name)
      .toSorted(),
  };
}

export interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/**
 * All that testssl.sh finds. It asks no name server and nobody but the server; what it would take ten
 * minutes more for, simulations of single browsers, it leaves out.
 */
export async function scanFindings(port: number, directory: string): Promise<Finding[]> {
  const file = join(directory, 'findings.json');
  const checks = ['--protocols', '--std', '--fs', '--server-preference', '--server-defaults', '--headers'];
  const quiet = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none'];
  const target = ['--ip', '127.0.0.1', '--add-ca', join(directory, 'ca.pem'), `https://localhost:${port}`];
  // It exits with the number of what it doesn't like.
  await run('testssl', [...checks, '--vulnerable', ...quiet, '--jsonfile', file, ...target], {
    timeout: TESTSSL_TIMEOUT_MS,
  }).catch((error: { readonly killed?: boolean; readonly code?: unknown }) => {
    if (error.killed === true || typeof error.code !== 'number') throw error;
  });
  return JSON.parse(await readFile(file, 'utf8')) as Finding[];
}
