import { Command } from 'commander';
import { KeysModule } from '../keys/keys.module.js';
import { RootRotation } from '../keys/root-rotation.js';
import { withModule } from './application-context.js';
import { withProgress } from './progress-line.js';

const NEW_VALUE = `the root key is in ROOT_KEY, so its next value is yours to make:
  openssl rand -base64 32 | tr '+/' '-_' | tr -d '='
or, where a key management service holds it, the name of a new key there.
Set ROOT_KEY_PREVIOUS to the value that ROOT_KEY has now and ROOT_KEY to the new one, restart every
instance, and run \`npm run cli -- root promote\`.
`;

export function rootCommand(): Command {
  return new Command('root')
    .description('the root key: stage, promote and complete change it while the server runs')
    .addCommand(new Command('stage').description('make the next root key').action(stage))
    .addCommand(new Command('promote').description('re-wrap every key under the next one').action(promote))
    .addCommand(new Command('complete').description('give the previous one up').action(complete));
}

async function stage(): Promise<void> {
  await withRotation(async (rotation) => {
    const staged = rotation.stage();
    process.stdout.write(staged ? `staged root key ${staged.id} in ${staged.file}\n` : NEW_VALUE);
  });
}

async function promote(): Promise<void> {
  await withRotation(async (rotation) => {
    await withProgress(async (progress) => {
      const { id, count } = await rotation.promote((done, total) =>
        progress.update({ done, total, unit: 'keys' }),
      );
      progress.print(`promoted root key ${id}, re-wrapped ${count} keys`);
    });
  });
}

async function complete(): Promise<void> {
  await withRotation(async (rotation) => {
    const completed = await rotation.complete();
    if (!completed) {
      process.stdout.write('there is no previous root key\n');
      return;
    }
    process.stdout.write(`completed: ${describe(completed)}\n`);
  });
}

function describe(completed: NonNullable<Awaited<ReturnType<RootRotation['complete']>>>): string {
  if ('variable' in completed) return `unset ${completed.variable} and restart every instance`;
  const removed = `removed ${completed.file}`;
  return completed.isOverwritten
    ? removed
    : `${removed}, whose bytes are not overwritten: it was a link or has another name, destroy that too`;
}

function withRotation(work: (rotation: RootRotation) => Promise<void>): Promise<void> {
  return withModule(KeysModule, (context) => work(context.get(RootRotation)));
}
