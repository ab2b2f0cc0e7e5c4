import { Injectable } from '@nestjs/common';
import { type AuditAction } from '../audit/audit-actions.js';
import { AuditService } from '../audit/audit.service.js';
import { type RequestOrigin } from '../common/request-origin.js';

/** What the audit log is told of accounts and sessions. Each is recorded in the surrounding transaction, if any. */
@Injectable()
export class AuthEvents {
  constructor(private readonly audit: AuditService) {}

  async registered(userId: string, origin: RequestOrigin): Promise<void> {
    await this.#record(userId, 'auth.register', `user:${userId}`, origin);
  }

  async loggedIn(userId: string, sessionId: string, origin: RequestOrigin): Promise<void> {
    await this.#record(userId, 'auth.login', `session:${sessionId}`, origin);
  }

  /** @param userId of the account, where the address has one */
  async loginRefused(
    reason: 'wrong' | 'throttled',
    userId: string | undefined,
    origin: RequestOrigin,
  ): Promise<void> {
    await this.audit.record({
      actor: null,
      ...(userId === undefined ? {} : { ownerId: userId, target: `user:${userId}` }),
      action: reason === 'wrong' ? 'auth.login-failed' : 'auth.login-throttled',
      outcome: 'failure',
      ...origin,
    });
  }

  async passwordChanged(
    userId: string,
    outcome: 'success' | 'failure',
    origin: RequestOrigin,
  ): Promise<void> {
    const target = `user:${userId}`;
    await this.audit.record({ actor: userId, action: 'auth.password-changed', target, outcome, ...origin });
  }

  async refreshReplayed(userId: string, sessionId: string, origin: RequestOrigin): Promise<void> {
    await this.audit.record({
      actor: null,
      ownerId: userId,
      action: 'auth.refresh-replayed',
      target: `session:${sessionId}`,
      outcome: 'failure',
      ...origin,
    });
  }

  async sessionsEnded(
    sessionIds: readonly string[],
    {
      actor,
      userId: ownerId,
      origin,
      action = 'auth.session-revoked',
    }: {
      readonly actor: string;
      readonly userId: string;
      readonly origin: RequestOrigin;
      readonly action?: 'auth.logout' | 'auth.session-revoked';
    },
  ): Promise<void> {
    for (const id of sessionIds) {
      const target = `session:${id}`;
      await this.audit.record({ actor, ownerId, action, target, outcome: 'success', ...origin });
    }
  }

  async #record(userId: string, action: AuditAction, target: string, origin: RequestOrigin): Promise<void> {
    await this.audit.record({ actor: userId, action, target, outcome: 'success', ...origin });
  }
}
