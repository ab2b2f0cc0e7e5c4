import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { type SessionPrincipal } from '../common/access.js';
import { type Caller } from '../common/caller.js';
import { AppConfig } from '../config/app-config.js';
import { Database } from '../database/database.js';
import { InvalidCodeError } from '../factors/errors.js';
import { SecondFactorService } from '../factors/second-factor.service.js';
import { AttemptThrottle } from '../throttle/attempt-throttle.js';
import { UserAdministrationService } from '../users/user-administration.service.js';
import { UsersService } from '../users/users.service.js';
import { InvalidCredentialsError, MfaRequiredError, UnauthenticatedError } from './errors.js';
import { SessionsService } from './sessions.service.js';

type OnRefusal = (reason: 'wrong' | 'throttled') => Promise<void>;

/** The second step of a login, and setting it up. Every guess at a code is throttled. */
@Injectable()
export class SecondFactorSteps {
  constructor(
    private readonly factors: SecondFactorService,
    private readonly users: UsersService,
    private readonly administration: UserAdministrationService,
    private readonly sessions: SessionsService,
    private readonly throttle: AttemptThrottle,
    private readonly audit: AuditService,
    private readonly database: Database,
    private readonly config: AppConfig,
  ) {}

  /**
   * How somebody is authenticated whose password was right (RFC 8176 names), once their second factor is right too,
   * where they have one.
   *
   * @param subject - names the account to the throttle, and the device where it is known
   * @throws {MfaRequiredError} without a code
   * @throws {InvalidCredentialsError} with a wrong one
   */
  async complete(
    userId: string,
    { code, subject, onRefusal }: { code: string | undefined; subject: string; onRefusal: OnRefusal },
  ): Promise<readonly string[]> {
    if (!(await this.factors.isActive(userId))) return ['pwd'];
    if (code === undefined) throw new MfaRequiredError();
    if (!(await this.#redeem(userId, code, subject, onRefusal))) throw new InvalidCredentialsError();
    return this.factors.kindOf(code) === 'totp' ? ['pwd', 'otp', 'mfa'] : ['pwd', 'mfa'];
  }

  /** Whether these methods let the user in: without a second factor only while none is active. */
  async isEnough(userId: string, amr: readonly string[]): Promise<boolean> {
    return amr.includes('mfa') || !(await this.factors.isActive(userId));
  }

  /** @throws {TotpActiveError} */
  async enrol({ userId }: Caller): Promise<{ readonly secret: string; readonly uri: string }> {
    const user = await this.users.find(userId);
    if (!user) throw new UnauthenticatedError();
    const { hostname } = new URL(this.config.auth.issuer);
    return this.factors.enrol(userId, { issuer: hostname, account: user.email });
  }

  /**
   * @returns the recovery codes
   * @throws {TotpActiveError}
   * @throws {InvalidCodeError}
   */
  async activate(caller: Caller, { sessionId }: SessionPrincipal, code: string): Promise<string[]> {
    const { userId } = caller;
    const proven = await this.throttle.attempt({
      kind: 'totp',
      subject: `${userId}/account`,
      verify: () => this.factors.provePending(userId, code),
      onRefusal: () => this.#record(caller, 'totp.activate', 'failure'),
    });
    if (!proven) throw new InvalidCodeError();
    return this.#change(caller, sessionId, 'totp.activate', () => this.factors.activate(userId, proven));
  }

  /**
   * @throws {TotpNeededError}
   * @throws {InvalidCodeError}
   */
  async remove(caller: Caller, { sessionId }: SessionPrincipal, code: string): Promise<void> {
    const { userId } = caller;
    await this.factors.refuseNeeded(userId);
    const isRight = await this.#redeem(userId, code, `${userId}/account`, () =>
      this.#record(caller, 'totp.remove', 'failure'),
    );
    if (!isRight) throw new InvalidCodeError();
    await this.#change(caller, sessionId, 'totp.remove', () => this.factors.remove(userId));
  }

  async #redeem(userId: string, code: string, subject: string, onRefusal: OnRefusal): Promise<boolean> {
    const redeemed = await this.throttle.attempt({
      kind: this.factors.kindOf(code),
      subject,
      verify: async () => (await this.factors.redeem(userId, code)) || undefined,
      onRefusal,
    });
    return redeemed === true;
  }

  /** Who got in without the factor, or with one that is lost, stays out. */
  async #change<T>(
    caller: Caller,
    keptSessionId: string,
    action: 'totp.activate' | 'totp.remove',
    change: () => Promise<T>,
  ): Promise<T> {
    const { result, endedIds } = await this.database.transaction(async () => {
      // Who begins a session at this moment is waited for, or finds the change.
      await this.administration.hold(caller.userId);
      const changed = await change();
      await this.#record(caller, action, 'success');
      return { result: changed, endedIds: await this.sessions.revokeAll(caller.userId, keptSessionId) };
    });
    this.sessions.forget(endedIds);
    return result;
  }

  async #record(
    { userId: actor, ...origin }: Caller,
    action: 'totp.activate' | 'totp.remove',
    outcome: 'success' | 'failure',
  ): Promise<void> {
    await this.audit.record({ actor, action, target: `user:${actor}`, outcome, ...origin });
  }
}
