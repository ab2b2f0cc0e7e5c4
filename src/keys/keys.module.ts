import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { KeyStore } from '../crypto/key-store.js';
import { EncryptedRowsRegistry } from './encrypted-rows.js';
import { KeyringService } from './keyring.service.js';
import { KeysRepository } from './keys.repository.js';
import { openRootKey } from './open-root-key.js';
import { PrimaryKeys } from './primary-keys.js';
import { RootKeyProvider } from './root-key-provider.js';
import { UnwrappedKeys } from './unwrapped-keys.js';

@Global()
@Module({
  providers: [
    KeysRepository,
    EncryptedRowsRegistry,
    {
      provide: RootKeyProvider,
      inject: [AppConfig, KeysRepository],
      useFactory: (config: AppConfig, repository: KeysRepository) =>
        openRootKey(config.keys.rootKeyFile, { mayGenerate: !config.isProduction }, repository),
    },
    UnwrappedKeys,
    PrimaryKeys,
    KeyringService,
    { provide: KeyStore, useExisting: KeyringService },
  ],
  exports: [KeyringService, KeyStore, EncryptedRowsRegistry],
})
export class KeysModule {}
