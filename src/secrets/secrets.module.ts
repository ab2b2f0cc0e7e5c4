import { Module } from '@nestjs/common';
import { GrantsController } from './grants.controller.js';
import { GrantsRepository } from './grants.repository.js';
import { GrantsService } from './grants.service.js';
import { ReceivedGrantsController } from './received-grants.controller.js';
import { ReceivedGrantsService } from './received-grants.service.js';
import { SecretAudit } from './secret-audit.js';
import { SecretCiphertextsRepository } from './secret-ciphertexts.repository.js';
import { SecretMetadataService } from './secret-metadata.service.js';
import { SecretReader } from './secret-reader.js';
import { SecretShredder } from './secret-shredder.js';
import { SecretSweeper } from './secret-sweeper.js';
import { SecretVersionsController } from './secret-versions.controller.js';
import { SecretVersionsRepository } from './secret-versions.repository.js';
import { SecretVersionsService } from './secret-versions.service.js';
import { SecretWriter } from './secret-writer.js';
import { SecretsController } from './secrets.controller.js';
import { SecretsReencryption } from './secrets.reencryption.js';
import { SecretsRepository } from './secrets.repository.js';
import { SecretsService } from './secrets.service.js';

@Module({
  controllers: [SecretsController, SecretVersionsController, GrantsController, ReceivedGrantsController],
  providers: [
    SecretsRepository,
    SecretVersionsRepository,
    GrantsRepository,
    GrantsService,
    ReceivedGrantsService,
    SecretReader,
    SecretAudit,
    SecretsService,
    SecretWriter,
    SecretMetadataService,
    SecretVersionsService,
    SecretShredder,
    SecretSweeper,
    SecretCiphertextsRepository,
    SecretsReencryption,
  ],
})
export class SecretsModule {}
