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

/** The second step of somebody whose password was right. */
export interface SecondStep {
  readonly userId: string;
  readonly code: string | undefined;
  /** Names the account to the throttle, and the device where it is known. */
  readonly subject: string;
  /** Records it. */
  readonly onRefusal: (reason: 'wrong' | 'throttled' | 'incomplete') => Promise<void>;
}

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
   * Lets somebody in whose password was right, once their second factor is right too, where they have one. The code is
   * used up in the transaction in which they get in, or not at all.
   *
   * @param enter - is told how they are authenticated (RFC 8176 names)
   * @throws {MfaRequiredError} without a code
   * @throws {InvalidCredentialsError} with a wrong one
   */
  async complete<T>(
    { userId, code, subject, onRefusal }: SecondStep,
    enter: (amr: readonly string[]) => Promise<T>,
  ): Promise<T> {
    if (!(await this.factors.isActive(userId))) return enter(['pwd']);
    if (code === undefined) {
      await onRefusal('incomplete');
      throw new MfaRequiredError();
    }
    const amr = this.factors.kindOf(code) === 'totp' ? ['pwd', 'otp', 'mfa'] : ['pwd', 'mfa'];
    const entered = await this.#redeem({ userId, code, subject, onRefusal }, async () => ({
      as: await enter(amr),
    }));
    if (!entered) throw new InvalidCredentialsError();
    return entered.as;
  }

  /** Whether these methods let the user in: without a second factor only while none is active. */
  async isEnough(userId: string, amr: readonly string[]): Promise<boolean> {
    return amr.includes('mfa') || !(await this.factors.isActive(userId));
  }

  /**
   * @throws {TotpActiveError}
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   */
  async enrol(
    caller: Caller,
    session: SessionPrincipal,
  ): Promise<{ readonly secret: string; readonly uri: string }> {
    const user = await this.users.find(caller.userId);
    if (!user) throw new UnauthenticatedError();
    const { hostname } = new URL(this.config.auth.issuer);
    return this.database.transaction(async () => {
      await this.sessions.hold(session);
      const enrolled = await this.factors.enrol(user.id, { issuer: hostname, account: user.email });
      await this.#record(caller, 'totp.enrol', 'success');
      return enrolled;
    });
  }

  /**
   * @returns the recovery codes
   * @throws {TotpActiveError}
   * @throws {InvalidCodeError}
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   */
  async activate(caller: Caller, session: SessionPrincipal, code: string): Promise<string[]> {
    const { userId } = caller;
    const proven = await this.throttle.attempt({
      kind: 'totp',
      subject: `${userId}/account`,
      verify: () => this.factors.provePending(userId, code),
      onRefusal: () => this.#record(caller, 'totp.activate', 'failure'),
    });
    if (!proven) throw new InvalidCodeError();
    return this.#change(caller, session, 'totp.activate', () => this.factors.activate(userId, proven));
  }

  /**
   * @throws {TotpNeededError}
   * @throws {InvalidCodeError}
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   */
  async remove(caller: Caller, session: SessionPrincipal, code: string): Promise<void> {
    const { userId } = caller;
    await this.factors.refuseNeeded(userId);
    const onRefusal = () => this.#record(caller, 'totp.remove', 'failure');
    const removed = await this.#redeem(
      { userId, code, subject: `${userId}/account`, onRefusal },
      async () => {
        await this.#change(caller, session, 'totp.remove', () => this.factors.remove(userId));
        return true;
      },
    );
    if (!removed) throw new InvalidCodeError();
  }

  /** Uses a code up in the transaction of what it is for. @returns `undefined` for a wrong one */
  async #redeem<T>(
    { userId, code, subject, onRefusal }: SecondStep & { readonly code: string },
    act: () => Promise<T>,
  ): Promise<T | undefined> {
    return this.throttle.attempt({
      kind: this.factors.kindOf(code),
      subject,
      verify: () =>
        this.database.transaction(async () => {
          // First, as whoever deletes the user or changes their password does. Nobody's code is a wrong one.
          if (!(await this.administration.isHeld(userId))) return undefined;
          return (await this.factors.redeem(userId, code)) ? act() : undefined;
        }),
      onRefusal,
    });
  }

  /** Who got in without the factor, or with one that is lost, stays out: also who asks for it, once their session ended. */
  async #change<T>(
    caller: Caller,
    session: SessionPrincipal,
    action: 'totp.activate' | 'totp.remove',
    change: () => Promise<T>,
  ): Promise<T> {
    return this.database.transaction(async () => {
      // Who begins a session at this moment is waited for, or finds the change.
      await this.sessions.hold(session);
      const changed = await change();
      await this.#record(caller, action, 'success');
      await this.sessions.revokeAll(caller.userId, session.sessionId);
      return changed;
    });
  }

  async #record(
    { userId: actor, ...origin }: Caller,
    action: 'totp.enrol' | 'totp.activate' | 'totp.remove',
    outcome: 'success' | 'failure',
  ): Promise<void> {
    await this.audit.record({ actor, action, target: `user:${actor}`, outcome, ...origin });
  }
}
