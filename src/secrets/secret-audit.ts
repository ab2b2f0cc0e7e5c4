import { Injectable } from '@nestjs/common';
import { type AuditAction } from '../audit/audit-actions.js';
import { AuditService } from '../audit/audit.service.js';
import { type Caller } from '../common/caller.js';

export type SecretAction = Extract<AuditAction, `secret.${string}`>;

/** Tells the audit log of secrets. They are named as their owner names them, `secret:<name>#<version>`. */
@Injectable()
export class SecretAudit {
  constructor(private readonly audit: AuditService) {}

  /** Inside a transaction the events commit with it; outside of one they are on the disk when this resolves. */
  async record(
    { userId, ip, requestId }: Caller,
    action: SecretAction,
    name: string,
    versions: readonly number[],
  ): Promise<void> {
    for (const version of versions) {
      const target = `secret:${name}#${version}`;
      await this.audit.record({ actor: userId, action, target, outcome: 'success', ip, requestId });
    }
  }
}
