import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';

/** For the server only. */
@Module({ controllers: [AuditController] })
export class AuditApiModule {}
