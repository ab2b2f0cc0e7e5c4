import { setTimeout } from 'node:timers/promises';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { Command } from 'commander';
import { StartError } from '../common/start-error.js';
import { ContactsModule } from '../contacts/contacts.module.js';
import { DecryptionError } from '../crypto/errors.js';
import { DatabaseUnavailableError } from '../database/errors.js';
import { FactorsModule } from '../factors/factors.module.js';
import { KeyInUseError } from '../keys/errors.js';
import { KeyDestructionService } from '../keys/key-destruction.service.js';
import { KeyInventory } from '../keys/key-inventory.js';
import { KeyJobRunner } from '../keys/key-job-runner.js';
import { type KeyPurposeName, keyPurposes, SYSTEM_OWNER } from '../keys/key-purposes.js';
import { KeyRotationService } from '../keys/key-rotation.service.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { SharesModule } from '../shares/shares.module.js';
import { UsersModule } from '../users/users.module.js';
import { withModule } from './application-context.js';
import { describeJob, print, printKeys, printUsers } from './key-tables.js';
import { type ProgressLine, withProgress } from './progress-line.js';

const POLL_MS = 500;

/** Every feature that encrypts, so that a rotation reaches all rows. */
@Module({ imports: [ContactsModule, FactorsModule, SecretsModule, SharesModule, UsersModule] })
class EncryptingFeaturesModule {}

export function keysCommand(): Command {
  return new Command('keys')
    .description('the keys below the root key')
    .addCommand(
      new Command('status')
        .description("the system's keys, the users' by purpose, and rotations that are not done")
        .option('--owner <id>', 'the keys of one user instead')
        .action(showStatus),
    )
    .addCommand(
      new Command('rotate')
        .description('make a new key and bring everything to it; safe to interrupt')
        .argument('<purpose>', Object.keys(keyPurposes).join(', '))
        .option('--owner <id>', 'only the keys of this user, or of the system')
        .action(rotate),
    )
    .addCommand(
      new Command('rewrap')
        .description('end rotations that were interrupted, and bring over what was left behind')
        .action(rewrap),
    )
    .addCommand(
      new Command('destroy')
        .description('destroy a retired key that nothing is under; there is no way back')
        .argument('<key-id>', 'as `keys status` shows it')
        .action(destroy),
    );
}

async function showStatus({ owner }: { readonly owner?: string }): Promise<void> {
  await withModule(EncryptingFeaturesModule, async (context) => {
    const inventory = context.get(KeyInventory);
    const keys = await inventory.ofOwner(owner ?? SYSTEM_OWNER);
    if (owner !== undefined && keys.length === 0) throw new StartError(`no keys of owner ${owner}`);
    printKeys(keys);
    if (owner === undefined) printUsers(await inventory.ofUsers());
    for (const job of await inventory.unfinishedJobs()) {
      if (owner === undefined || job.owner_id === owner) print(`not done: ${describeJob(job)}`);
    }
  });
}

async function rotate(purpose: string, { owner }: { readonly owner?: string }): Promise<void> {
  const name = purposeOf(purpose, owner);
  await withModule(EncryptingFeaturesModule, async (context) => {
    const rotation = context.get(KeyRotationService);
    const jobIds: string[] = [];
    if (owner === undefined) {
      const onFailure = (ownerId: string, error: unknown) => fail(`${name} of ${ownerId}`, error);
      for await (const { id } of rotation.rotateAll(name, onFailure)) jobIds.push(id);
    } else {
      const job = await rotation.rotate(name, owner);
      if (job) jobIds.push(job.id);
    }
    if (jobIds.length === 0 && process.exitCode === undefined)
      throw new StartError(
        owner === undefined
          ? `there is no key ${name} to rotate`
          : `no keys of owner ${owner} for ${name}: there is nothing to rotate`,
      );
    await withProgress((line) => finish(context, line, jobIds));
  });
}

async function rewrap(): Promise<void> {
  await withModule(EncryptingFeaturesModule, async (context) => {
    const inventory = context.get(KeyInventory);
    await context.get(KeyDestructionService).destroyEnded();
    for await (const { purpose, ownerId, leftBy } of inventory.stragglers()) {
      await context.get(KeyRotationService).resume(purpose, ownerId, leftBy);
    }
    let jobs = await inventory.unfinishedJobs();
    if (jobs.length === 0) print('nothing to do');
    while (jobs.length > 0) {
      const jobIds = jobs.map(({ id }) => id);
      const isAnyDone = await withProgress((line) => finish(context, line, jobIds));
      jobs = isAnyDone ? await inventory.unfinishedJobs() : [];
    }
  });
}

async function destroy(keyId: string): Promise<void> {
  await withModule(EncryptingFeaturesModule, async (context) => {
    try {
      await context.get(KeyDestructionService).destroy(keyId);
    } catch (error) {
      throw error instanceof KeyInUseError ? new StartError(error.message, { cause: error }) : error;
    }
    print(`destroyed key ${keyId}`);
  });
}

/**
 * Works on jobs, or waits for whoever does or for a job's time to come, until all are done but those that only a
 * server ends.
 *
 * @returns whether one was done
 */
async function finish(
  context: INestApplicationContext,
  line: ProgressLine,
  jobIds: readonly string[],
): Promise<boolean> {
  let left = jobIds;
  let isAnyDone = false;
  while (left.length > 0) {
    const waiting: string[] = [];
    for (const id of left) {
      const outcome = await work(context, line, id);
      if (outcome === 'waits') waiting.push(id);
      isAnyDone ||= outcome === 'done';
    }
    left = waiting;
    if (left.length > 0) await setTimeout(POLL_MS);
  }
  return isAnyDone;
}

async function work(
  context: INestApplicationContext,
  line: ProgressLine,
  jobId: string,
): Promise<'done' | 'waits' | 'left'> {
  let failure: unknown;
  const running = context.get(KeyJobRunner).run(jobId, {
    onProgress: ({ done, total, purpose, owner_id: owner }) =>
      line.update({ done, total, unit: `under ${purpose} of ${owner}` }),
    onSkip: ({ id, keyId, error }) => line.print(`${id} stays under key ${keyId}: ${error.message}`),
  });
  await running.catch((error: unknown) => {
    failure = error;
  });
  const job = await context.get(KeyInventory).findJob(jobId);
  if (!job) return 'done';
  if (failure !== undefined) {
    line.clear();
    fail(`${job.purpose} of ${job.owner_id}`, failure);
    return 'left';
  }
  if (job.finished_at !== null) {
    if (job.remaining) process.exitCode = 1;
    line.print(`${job.remaining ? 'incomplete' : 'done'}: ${describeJob(job)}`);
    return 'done';
  }
  if (job.kind !== 'PROMOTE') return 'waits';
  line.print(`published the next key ${job.purpose}: a running server lets it sign after a minute`);
  return 'left';
}

/** One rotation that fails keeps none of the others from their end. */
function fail(what: string, error: unknown): void {
  if (error instanceof DatabaseUnavailableError) throw error;
  process.exitCode = 1;
  const keyId = error instanceof DecryptionError ? error.keyId : undefined;
  const reason = keyId === undefined ? String(error) : `key ${keyId} cannot be unwrapped, restore its row`;
  print(`${what} could not be rotated: ${reason}`);
}

function purposeOf(name: string, owner: string | undefined): KeyPurposeName {
  if (!Object.hasOwn(keyPurposes, name)) {
    throw new StartError(`${name} is no purpose, want one of ${Object.keys(keyPurposes).join(', ')}`);
  }
  const purpose = name as KeyPurposeName;
  const { user, system } = keyPurposes[purpose].wrappedBy;
  if (owner !== undefined && !(owner === SYSTEM_OWNER ? system : user)) {
    throw new StartError(`${owner === SYSTEM_OWNER ? 'the system has' : 'users have'} no keys ${purpose}`);
  }
  return purpose;
}
