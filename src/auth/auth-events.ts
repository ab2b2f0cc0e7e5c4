import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { type RequestOrigin } from '../common/request-origin.js';

/** An account that somebody named by its e-mail address. Of that, the log gets a digest. */
interface NamedAccount {
  /** Absent where the address has no account. */
  readonly userId: string | undefined;
  readonly email: string;
}

/** Why somebody isn't let in. Who lacks the second factor has shown the right password. */
const refusals = {
  wrong: 'auth.login-failed',
  throttled: 'auth.login-throttled',
  incomplete: 'auth.login-incomplete',
} as const;

/** What the audit log is told of accounts and sessions. Each is recorded in the surrounding transaction, if any. */
@Injectable()
export class AuthEvents {
  constructor(private readonly audit: AuditService) {}

  async registered(userId: string, email: string, origin: RequestOrigin): Promise<void> {
    await this.#succeeded('auth.register', `user:${userId}`, { userId, email }, origin);
  }

  async loggedIn(userId: string, sessionId: string, email: string, origin: RequestOrigin): Promise<void> {
    await this.#succeeded('auth.login', `session:${sessionId}`, { userId, email }, origin);
  }

  async loginRefused(
    reason: keyof typeof refusals,
    { userId, email }: NamedAccount,
    origin: RequestOrigin,
  ): Promise<void> {
    await this.audit.record({
      actor: null,
      ...(userId === undefined ? {} : { ownerId: userId, target: `user:${userId}` }),
      action: refusals[reason],
      value: email,
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

  /** @param token - the refresh token that came back, of which the log gets a digest */
  async refreshReplayed(
    userId: string,
    sessionId: string,
    token: string,
    origin: RequestOrigin,
  ): Promise<void> {
    await this.audit.record({
      actor: null,
      ownerId: userId,
      action: 'auth.refresh-replayed',
      value: token,
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

  async #succeeded(
    action: 'auth.register' | 'auth.login',
    target: string,
    { userId: actor, email: value }: { readonly userId: string; readonly email: string },
    origin: RequestOrigin,
  ): Promise<void> {
    await this.audit.record({ actor, action, target, value, outcome: 'success', ...origin });
  }
}
