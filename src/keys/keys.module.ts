import { Global, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { AppConfig } from '../config/app-config.js';
import { KeyStore } from '../crypto/key-store.js';
import { EncryptedRowsRegistry } from './encrypted-rows.js';
import { KeyDestructionService } from './key-destruction.service.js';
import { KeyInventory } from './key-inventory.js';
import { KeyInventoryRepository } from './key-inventory.repository.js';
import { KeyJobRunner } from './key-job-runner.js';
import { KeyJobSteps } from './key-job-steps.js';
import { KeyJobsRepository } from './key-jobs.repository.js';
import { KeyRotationRepository } from './key-rotation.repository.js';
import { ValueKeysRepository } from './value-keys.repository.js';
import { KeyRotationService } from './key-rotation.service.js';
import { KeyUses } from './key-uses.js';
import { KeyUsesRepository } from './key-uses.repository.js';
import { KeyringService } from './keyring.service.js';
import { KeysRepository } from './keys.repository.js';
import { openRootKeys } from './open-root-keys.js';
import { PrimaryKeys } from './primary-keys.js';
import { PublicKeysRepository } from './public-keys.repository.js';
import { PublicKeysService } from './public-keys.service.js';
import { RootKeyPlaces } from './root-key-places.js';
import { RootKeys } from './root-keys.js';
import { RootRotation } from './root-rotation.js';
import { RootWrappedKeysRepository } from './root-wrapped-keys.repository.js';
import { UnwrappedKeys } from './unwrapped-keys.js';

@Global()
@Module({
  providers: [
    KeysRepository,
    RootWrappedKeysRepository,
    EncryptedRowsRegistry,
    {
      provide: RootKeyPlaces,
      inject: [AppConfig],
      useFactory: ({ keys }: AppConfig) => new RootKeyPlaces(keys),
    },
    {
      provide: RootKeys,
      inject: [RootKeyPlaces, AppConfig, RootWrappedKeysRepository, Clock],
      useFactory: (
        places: RootKeyPlaces,
        { isProduction }: AppConfig,
        repository: RootWrappedKeysRepository,
        clock: Clock,
      ) => openRootKeys(places, { mayGenerate: !isProduction }, repository, clock),
    },
    RootRotation,
    UnwrappedKeys,
    PrimaryKeys,
    KeyringService,
    PublicKeysRepository,
    PublicKeysService,
    KeyJobsRepository,
    KeyRotationRepository,
    ValueKeysRepository,
    KeyUsesRepository,
    KeyUses,
    KeyRotationService,
    KeyJobSteps,
    KeyJobRunner,
    KeyDestructionService,
    KeyInventoryRepository,
    KeyInventory,
    { provide: KeyStore, useExisting: KeyringService },
  ],
  exports: [
    KeyringService,
    KeyStore,
    PublicKeysService,
    EncryptedRowsRegistry,
    KeyRotationService,
    KeyJobRunner,
    KeyDestructionService,
    KeyInventory,
    KeyJobsRepository,
    RootRotation,
  ],
})
export class KeysModule {}
