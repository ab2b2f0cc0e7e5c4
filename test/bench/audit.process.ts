/** Fills an audit log and verifies it, as the command line does. */
import { NestFactory } from '@nestjs/core';
import { dist } from './built.ts';
import { serveCalls } from './child.ts';

const AT_ONCE = 1_000;
const SAMPLE_MS = 20;

const { AppConfigModule } =
  await dist<typeof import('../../src/config/config.module.js')>('config/config.module.js');
const { CoreModule } = await dist<typeof import('../../src/core.module.js')>('core.module.js');
const { AuditWriter } = await dist<typeof import('../../src/audit/audit-writer.js')>('audit/audit-writer.js');
const { AuditVerifier } =
  await dist<typeof import('../../src/audit/audit-verifier.js')>('audit/audit-verifier.js');
const { Database } = await dist<typeof import('../../src/database/database.js')>('database/database.js');

const { module: configuration } = await AppConfigModule.load();
const context = await NestFactory.createApplicationContext(
  { module: class Audit {}, imports: [CoreModule.forRoot(configuration)] },
  { logger: ['error', 'fatal'] },
);
const writer = context.get(AuditWriter, { strict: false });
const verifier = context.get(AuditVerifier, { strict: false });
const database = context.get(Database, { strict: false });

export interface VerificationResult {
  readonly events: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  /** Above what the process had before. */
  readonly extraMib: number;
}

let finished: VerificationResult | undefined;

const api = { fill, beginVerification, verification };
export type AuditApi = typeof api;
serveCalls(api);

async function fill(count: number): Promise<void> {
  for (let made = 0; made < count; made += AT_ONCE) {
    const events = Array.from({ length: AT_ONCE }, (_, index) => ({
      actor: '01901d2f-6b3c-7e57-9d0c-5b8f4f1d2a3b',
      action: 'secret.read' as const,
      target: `secret:db.main.url#${made + index}`,
      outcome: 'success' as const,
      ip: '192.0.2.1',
      requestId: '9d2f9d4c-6a0e-4a0b-8f6e-2f0c9b1f7a55',
      atMs: Date.now(),
    }));
    await database.transaction(() => writer.append(events));
  }
}

function beginVerification(): void {
  void verify().then((result) => {
    finished = result;
  });
}

/** Once it has ended. */
function verification(): VerificationResult | null {
  return finished ?? null;
}

async function verify(): Promise<VerificationResult> {
  await verifier.verifyLinks({ seq: 0, mac: Buffer.alloc(32) }, AT_ONCE);
  const before = rssMib();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, rssMib());
  }, SAMPLE_MS);
  const startedAtMs = performance.now();
  const usage = process.cpuUsage();
  const events = await verifier.verify();
  const { user, system } = process.cpuUsage(usage);
  clearInterval(sampling);
  const elapsedMs = performance.now() - startedAtMs;
  return { events, elapsedMs, cpuMs: (user + system) / 1_000, extraMib: Math.max(most, rssMib()) - before };
}

function rssMib(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}
