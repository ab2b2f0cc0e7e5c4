import { Module } from '@nestjs/common';
import { SecretCiphertextsRepository } from './secret-ciphertexts.repository.js';
import { SecretsController } from './secrets.controller.js';
import { SecretsReencryption } from './secrets.reencryption.js';
import { SecretsRepository } from './secrets.repository.js';
import { SecretsService } from './secrets.service.js';

@Module({
  controllers: [SecretsController],
  providers: [SecretsRepository, SecretsService, SecretCiphertextsRepository, SecretsReencryption],
})
export class SecretsModule {}
