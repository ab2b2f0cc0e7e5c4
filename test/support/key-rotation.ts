import { type Clock } from '../../src/common/clock.js';
import { AppConfig } from '../../src/config/app-config.js';
import { type Environment, parseEnvironment } from '../../src/config/environment.js';
import { type Database } from '../../src/database/database.js';
import { EncryptedRowsRegistry } from '../../src/keys/encrypted-rows.js';
import { KeyDestructionService } from '../../src/keys/key-destruction.service.js';
import { KeyInventoryRepository } from '../../src/keys/key-inventory.repository.js';
import { KeyInventory } from '../../src/keys/key-inventory.js';
import { KeyJobRunner } from '../../src/keys/key-job-runner.js';
import { KeyJobSteps } from '../../src/keys/key-job-steps.js';
import { KeyJobsRepository } from '../../src/keys/key-jobs.repository.js';
import { KeyRotationRepository } from '../../src/keys/key-rotation.repository.js';
import { KeyRotationScheduler } from '../../src/keys/key-rotation.scheduler.js';
import { KeyRotationService } from '../../src/keys/key-rotation.service.js';
import { KeyUsesRepository } from '../../src/keys/key-uses.repository.js';
import { KeyUses } from '../../src/keys/key-uses.js';
import { ValueKeysRepository } from '../../src/keys/value-keys.repository.js';
import { openKeyring } from './keyring.js';

/** What rotates keys, with caches of its own, as an instance of the application has it. */
export function openRotation(
  database: Database,
  rootKey: Parameters<typeof openKeyring>[1],
  clock: Clock,
  environment: Environment = {},
) {
  const { keyring, primaries, unwrapped, repository: keys } = openKeyring(database, rootKey, clock);
  const config = new AppConfig(parseEnvironment(environment));
  const registry = new EncryptedRowsRegistry();
  const jobs = new KeyJobsRepository(database);
  const repository = new KeyRotationRepository(database);
  const usesRepository = new KeyUsesRepository(database);
  const uses = new KeyUses(usesRepository, registry);
  const rotation = new KeyRotationService(repository, keys, jobs, primaries, uses, database, clock);
  const steps = new KeyJobSteps(
    repository,
    new ValueKeysRepository(database),
    unwrapped,
    primaries,
    uses,
    registry,
    clock,
    config,
  );
  const runner = new KeyJobRunner(jobs, steps, database, clock);
  const destruction = new KeyDestructionService(usesRepository, uses, jobs, database, clock);
  const scheduler = new KeyRotationScheduler(
    rotation,
    runner,
    destruction,
    keyring,
    jobs,
    database,
    clock,
    config,
  );
  const inventory = new KeyInventory(new KeyInventoryRepository(database), jobs, uses, config);
  return {
    keyring,
    primaries,
    keys,
    registry,
    jobs,
    steps,
    rotation,
    runner,
    destruction,
    scheduler,
    inventory,
  };
}

/** For a rotation of all owners, none of which may fail. */
export function neverFails(_ownerId: string, error: unknown): never {
  throw error;
}

export type Rotation = ReturnType<typeof openRotation>;
