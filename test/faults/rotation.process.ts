/**
 * Rotates the keys of some purposes, or the root key, over and over until it is killed; or does what is left to do
 * and ends. Its clock runs a thousand times faster, so that the times which a rotation keeps pass in milliseconds.
 *
 *     node rotation.process.ts <directory of a build> <purpose>[,<purpose>…] | root | finish
 */
import { NestFactory } from '@nestjs/core';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { KeyPurposeName } from '../../src/keys/key-purposes.js';

const SPEED = 1_000;
/** After the clock of the tests, or what the application made would be too young to be replaced. */
const START_MS = Date.parse('2032-01-01');
/** A later process begins at a later time, but for once in eleven days. */
const WRAP_MS = 1e9;
const [directory = '', kind = ''] = process.argv.slice(2);

const { AppConfigModule } =
  await dist<typeof import('../../src/config/config.module.js')>('config/config.module.js');
const { CoreModule } = await dist<typeof import('../../src/core.module.js')>('core.module.js');
const { ContactsModule } = await dist<typeof import('../../src/contacts/contacts.module.js')>(
  'contacts/contacts.module.js',
);
const { FactorsModule } =
  await dist<typeof import('../../src/factors/factors.module.js')>('factors/factors.module.js');
const { SecretsModule } =
  await dist<typeof import('../../src/secrets/secrets.module.js')>('secrets/secrets.module.js');
const { SharesModule } =
  await dist<typeof import('../../src/shares/shares.module.js')>('shares/shares.module.js');
const { UsersModule } = await dist<typeof import('../../src/users/users.module.js')>('users/users.module.js');
const { KeyRotationService } = await dist<typeof import('../../src/keys/key-rotation.service.js')>(
  'keys/key-rotation.service.js',
);
const { KeyJobRunner } =
  await dist<typeof import('../../src/keys/key-job-runner.js')>('keys/key-job-runner.js');
const { KeyJobsRepository } = await dist<typeof import('../../src/keys/key-jobs.repository.js')>(
  'keys/key-jobs.repository.js',
);
const { RootRotation } =
  await dist<typeof import('../../src/keys/root-rotation.js')>('keys/root-rotation.js');

const { module: configuration } = await AppConfigModule.load();
const core = CoreModule.forRoot(configuration, {
  nowMs: () => START_MS + Math.floor(((performance.timeOrigin + performance.now()) % WRAP_MS) * SPEED),
});
const context = await NestFactory.createApplicationContext(
  {
    module: class Rotation {},
    imports: [core, UsersModule, FactorsModule, ContactsModule, SecretsModule, SharesModule],
  },
  { logger: ['error', 'fatal'] },
);
const runner = context.get(KeyJobRunner, { strict: false });
process.stdout.write('ready\n');

if (kind === 'finish') {
  const jobs = context.get(KeyJobsRepository, { strict: false });
  while ((await jobs.listUnfinished('', 1)).length > 0) await runner.runAll();
  await context.close();
} else if (kind === 'root') {
  const root = context.get(RootRotation, { strict: false });
  // Whatever the one before did not come to is done first.
  const steps = [() => root.promote(() => {}), () => root.complete(), () => root.stage()];
  for (let step = 0; ; step++) {
    await Promise.try(async () => steps[step % steps.length]?.()).catch(refused);
    await setImmediate();
  }
} else {
  const rotation = context.get(KeyRotationService, { strict: false });
  const purposes = kind.split(',');
  for (let turn = 0; ; turn++) {
    const begun = rotation.rotateAll(
      purposes[turn % purposes.length] as KeyPurposeName,
      (_ownerId, error) => {
        throw error;
      },
    );
    while (!(await begun.next()).done);
    await runner.runAll();
    await setImmediate();
  }
}

async function dist<M>(path: string): Promise<M> {
  const module: M = await import(pathToFileURL(`${directory}/dist/${path}`).href);
  return module;
}

/** A step that has nothing to do says so. */
function refused(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'StartError') throw error;
}
