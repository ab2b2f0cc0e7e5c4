/**
 * Writes and reads secrets of one user until it is killed, many at once, and tells on standard output what was
 * acknowledged: `write <name> <version>` and `read <name> <version>`.
 *
 *     node audit.process.ts <directory of a build> <user id>
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { pathToFileURL } from 'node:url';

const AT_ONCE = 8;
const STDOUT = 1;
const [directory = '', userId = ''] = process.argv.slice(2);

const { AppConfigModule } =
  await dist<typeof import('../../src/config/config.module.js')>('config/config.module.js');
const { CoreModule } = await dist<typeof import('../../src/core.module.js')>('core.module.js');
const { SecretsModule } =
  await dist<typeof import('../../src/secrets/secrets.module.js')>('secrets/secrets.module.js');
const { SecretWriter } =
  await dist<typeof import('../../src/secrets/secret-writer.js')>('secrets/secret-writer.js');
const { SecretsService } = await dist<typeof import('../../src/secrets/secrets.service.js')>(
  'secrets/secrets.service.js',
);

const { module: configuration } = await AppConfigModule.load();
const context = await NestFactory.createApplicationContext(
  { module: class Writing {}, imports: [CoreModule.forRoot(configuration), SecretsModule] },
  { logger: ['error', 'fatal'] },
);
const writer = context.get(SecretWriter, { strict: false });
const secrets = context.get(SecretsService, { strict: false });
tell('ready');
await Promise.all(Array.from({ length: AT_ONCE }, () => writeAndRead()));

async function writeAndRead(): Promise<void> {
  const caller = { userId, ip: '192.0.2.1', requestId: 'faults' };
  for (;;) {
    const name = `s${randomBytes(8).toString('hex')}`;
    for (let count = 0; count < 3; count++) {
      const { version } = await writer.put(caller, name, { data: { of: `${name} ${count + 1}` } }, {});
      tell(`write ${name} ${version}`);
      await secrets.get(caller, name, version, {});
      tell(`read ${name} ${version}`);
    }
  }
}

/** At once, and whole: what the process is killed after has been told. */
function tell(line: string): void {
  writeSync(STDOUT, `${line}\n`);
}

async function dist<M>(path: string): Promise<M> {
  const module: M = await import(pathToFileURL(`${directory}/dist/${path}`).href);
  return module;
}
