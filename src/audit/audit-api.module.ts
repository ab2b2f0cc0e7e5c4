import { Module } from '@nestjs/common';
import { AuditCheckpointer } from './audit-checkpointer.js';
import { AuditController } from './audit.controller.js';

/** For the server only: a command signs nothing. */
@Module({ controllers: [AuditController], providers: [AuditCheckpointer] })
export class AuditApiModule {}
