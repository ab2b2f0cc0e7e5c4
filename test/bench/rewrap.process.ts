/** Stands for the command line: makes data keys, and gives their owner a new key-encryption key. */
import { NestFactory } from '@nestjs/core';
import { setTimeout as delay } from 'node:timers/promises';
import { dist } from './built.ts';
import { serveCalls } from './child.ts';

const AT_ONCE = 1_000;
const POLL_MS = 50;

const { AppConfigModule } =
  await dist<typeof import('../../src/config/config.module.js')>('config/config.module.js');
const { CoreModule } = await dist<typeof import('../../src/core.module.js')>('core.module.js');
const { KeyStore } = await dist<typeof import('../../src/crypto/key-store.js')>('crypto/key-store.js');
const { KeyRotationService } = await dist<typeof import('../../src/keys/key-rotation.service.js')>(
  'keys/key-rotation.service.js',
);
const { KeyJobRunner } =
  await dist<typeof import('../../src/keys/key-job-runner.js')>('keys/key-job-runner.js');
const { KeyJobsRepository } = await dist<typeof import('../../src/keys/key-jobs.repository.js')>(
  'keys/key-jobs.repository.js',
);

const { module: configuration } = await AppConfigModule.load();
const context = await NestFactory.createApplicationContext(
  { module: class Rewrap {}, imports: [CoreModule.forRoot(configuration)] },
  { logger: ['error', 'fatal'] },
);
const keyStore = context.get(KeyStore, { strict: false });
const rotation = context.get(KeyRotationService, { strict: false });
const runner = context.get(KeyJobRunner, { strict: false });
const jobs = context.get(KeyJobsRepository, { strict: false });

const api = { makeDataKeys, begin, rotate, isFinished };
export type RewrapApi = typeof api;
serveCalls(api);

async function makeDataKeys(owner: string, count: number): Promise<void> {
  const end = Math.min(count, AT_ONCE);
  for (let made = 0; made < count; made += end) {
    await Promise.all(
      Array.from({ length: end }, async () => keyStore.encryptionKey({ purpose: 'secret', owner })),
    );
  }
}

/** Begins a rotation and leaves it to a server. */
async function begin(owner: string): Promise<string> {
  const job = await rotation.rotate('user-kek', owner);
  if (!job) throw new Error('the owner has no key-encryption key');
  return job.id;
}

/** A whole rotation. Gives its CPU time and the keys that were re-wrapped. */
async function rotate(owner: string): Promise<{ cpuMs: number; keys: number }> {
  const before = process.cpuUsage();
  const id = await begin(owner);
  while (!(await runner.run(id))) await delay(POLL_MS);
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000, keys: (await jobs.find(id))?.done ?? 0 };
}

async function isFinished(id: string): Promise<boolean> {
  return (await jobs.find(id))?.finished_at != null;
}
