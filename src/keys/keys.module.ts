import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { KeyStore } from '../crypto/key-store.js';
import { EncryptedRowsRegistry } from './encrypted-rows.js';
import { KeyringService } from './keyring.service.js';
import { KeysRepository } from './keys.repository.js';
import { openRootKeys } from './open-root-keys.js';
import { PrimaryKeys } from './primary-keys.js';
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
      provide: RootKeys,
      inject: [AppConfig, RootWrappedKeysRepository],
      useFactory: (config: AppConfig, repository: RootWrappedKeysRepository) =>
        openRootKeys(config.keys, { mayGenerate: !config.isProduction }, repository),
    },
    RootRotation,
    UnwrappedKeys,
    PrimaryKeys,
    KeyringService,
    { provide: KeyStore, useExisting: KeyringService },
  ],
  exports: [KeyringService, KeyStore, EncryptedRowsRegistry, RootRotation],
})
export class KeysModule {}
