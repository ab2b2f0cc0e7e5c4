import { Global, Module } from '@nestjs/common';
import { AuditCheckpoints } from './audit-checkpoints.js';
import { AuditCheckpointsRepository } from './audit-checkpoints.repository.js';
import { AuditKeys } from './audit-keys.js';
import { AuditVerifier } from './audit-verifier.js';
import { AuditWriter } from './audit-writer.js';
import { AuditRepository } from './audit.repository.js';
import { AuditService } from './audit.service.js';

/** What every feature records with. */
@Global()
@Module({
  providers: [
    AuditCheckpoints,
    AuditCheckpointsRepository,
    AuditKeys,
    AuditRepository,
    AuditService,
    AuditVerifier,
    AuditWriter,
  ],
  exports: [AuditService, AuditVerifier, AuditCheckpoints, AuditRepository, AuditWriter],
})
export class AuditModule {}
