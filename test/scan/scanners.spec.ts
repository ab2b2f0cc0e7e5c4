import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Build, type Running } from '../support/built-server.js';
import { shakeHands } from '../support/handshake.js';
import { scanFindings, type ScannedSets, scanSets } from '../support/scanners.js';
import { environmentIn } from '../support/test-app.js';
import { newCa, type TestCertificate, writePair } from '../support/test-ca.js';

const TIMEOUT_MS = 1_000_000;

const GROUPS = ['secp256r1 (NIST P-256)', 'secp384r1 (NIST P-384)', 'x25519'];
/** Groups that sslscan can't offer yet; the first of ours is among them. */
const UNKNOWN_TO_SSLSCAN = ['SecP256r1MLKEM768', 'SecP384r1MLKEM1024', 'MLKEM512', 'MLKEM768', 'MLKEM1024'];
const TLS_13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const TLS_12_CIPHERS = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'];

const kinds = ['ECDSA', 'RSA'] as const;
type Kind = (typeof kinds)[number];

function target(profile: string, kind: Kind): ScannedSets {
  const modern = TLS_13_SUITES.map((suite) => `TLSv1.3 ${suite}`);
  if (profile === 'modern') return { protocols: ['tls 1.3'], suites: modern, groups: GROUPS };
  const suites = [...TLS_12_CIPHERS.map((cipher) => `TLSv1.2 ECDHE-${kind}-${cipher}`), ...modern];
  return { protocols: ['tls 1.2', 'tls 1.3'], suites, groups: GROUPS };
}

describe('a scanner', () => {
  let build: Build;
  let directory: string;
  let ca: TestCertificate;
  beforeAll(async () => {
    build = await Build.create();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(build.directory, 'data-'));
    ca = await newCa();
    await writeFile(join(directory, 'ca.pem'), ca.pem);
  });
  afterAll(() => build.remove());

  const renew = async (kind: Kind) => writePair(directory, [await ca.issue({ isRsa: kind === 'RSA' }), ca]);

  async function start(kind: Kind, settings: Record<string, string>): Promise<[Running, number]> {
    const { certFile, keyFile } = await renew(kind);
    const environment = { ...environmentIn(directory), TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
    const server = build.run('main.js', [], { ...environment, LOG_LEVEL: 'info', ...settings });
    return [server, Number(new URL((await server.url()) ?? server.output).port)];
  }

  async function reload(server: Running, kind: Kind): Promise<void> {
    await renew(kind);
    server.signal('SIGHUP');
    await server.says('new TLS files are served');
  }

  describe.each(['intermediate', 'modern'])('in the %s profile', (profile) => {
    it.each(kinds)(
      'finds exactly the versions, suites and groups that are meant, before and after a reload: %s',
      async (kind) => {
        const [server, port] = await start(kind, { TLS_PROFILE: profile });
        const before = await scanSets(port);
        await reload(server, kind);
        const after = await scanSets(port);
        expect({ before, after }).toEqual({ before: target(profile, kind), after: target(profile, kind) });
        const url = `https://127.0.0.1:${port}`;
        expect(await shakeHands(url, { ca: ca.pem })).toMatchObject({ group: 'X25519MLKEM768' });
        for (const group of UNKNOWN_TO_SSLSCAN) {
          const answer = await shakeHands(url, { ca: ca.pem, ecdhCurve: group });
          expect([group, answer]).toEqual([group, expect.stringMatching(/ALERT_HANDSHAKE_FAILURE$/)]);
        }
        await server.stop();
      },
      TIMEOUT_MS,
    );
  });

  it(
    'finds nothing to complain of but that a private CA has no revocation address',
    async () => {
      await mkdir(join(directory, 'data'));
      await writeFile(join(directory, 'root.key'), randomBytes(32), { mode: 0o600 });
      const rootKey = { ROOT_KEY_FILE: join(directory, 'root.key') };
      const migration = build.run(join('cli', 'main.js'), ['db', 'migrate'], environmentIn(directory));
      expect(await migration.exitCode()).toBe(0);
      const [server, port] = await start('ECDSA', { NODE_ENV: 'production', ...rootKey });
      await reload(server, 'ECDSA');
      const findings = await scanFindings(port, directory);
      await server.stop();
      expect(findings.length).toBeGreaterThan(50);
      const complaints = findings.filter(({ severity }) => !['OK', 'INFO', 'WARN'].includes(severity));
      expect(complaints).toEqual([expect.objectContaining({ id: 'cert_revocation' })]);
      // What the scanner could not do, as it warns: only what its own OpenSSL lacks.
      const warnings = findings.filter(({ severity }) => severity === 'WARN').map(({ id }) => id);
      expect(warnings.filter((id) => id !== 'engine_problem')).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
