import { Injectable } from '@nestjs/common';
import { type SessionPrincipal } from '../common/access.js';
import { type RequestOrigin } from '../common/request-origin.js';
import { Database } from '../database/database.js';
import { SecondFactorService } from '../factors/second-factor.service.js';
import { AttemptThrottle } from '../throttle/attempt-throttle.js';
import { UsersService } from '../users/users.service.js';
import { AuthEvents } from './auth-events.js';
import { InvalidCredentialsError, UnauthenticatedError } from './errors.js';
import { SessionsService } from './sessions.service.js';

@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly users: UsersService,
    private readonly secondFactor: SecondFactorService,
    private readonly sessions: SessionsService,
    private readonly events: AuthEvents,
    private readonly throttle: AttemptThrottle,
    private readonly database: Database,
  ) {}

  /**
   * Gives the user another password and ends all their other sessions. A login with the old one that is under way
   * begins none.
   *
   * @throws {ValidationError} when the new password is too weak
   * @throws {InvalidCredentialsError} when the current one is wrong or in a back-off, or when it or the second factor was
   *   changed meanwhile
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   * @throws {HashQueueFullError}
   */
  async change(
    session: SessionPrincipal,
    { currentPassword, newPassword }: { readonly currentPassword: string; readonly newPassword: string },
    origin: RequestOrigin,
  ): Promise<void> {
    const { userId, sessionId } = session;
    const credentials = await this.users.findCredentialsOf(userId);
    if (!credentials) throw new UnauthenticatedError();
    const isProtected = await this.secondFactor.isActive(userId);
    const needsFactor = await this.users.checkNewPassword(userId, newPassword, '/newPassword', isProtected);
    const verified = await this.throttle.attempt({
      kind: 'password',
      // A session is a known device: strangers who fail at logins don't count here.
      subject: `${userId}/${sessionId}`,
      verify: () => this.users.verifyPassword(credentials, currentPassword),
      imitate: () => this.users.imitateVerification(currentPassword),
      onRefusal: () => this.events.passwordChanged(userId, 'failure', origin),
    });
    if (verified === undefined) throw new InvalidCredentialsError();
    const passwordHash = await this.users.hashPassword(userId, newPassword);
    const changed = this.database.transaction(async () => {
      await this.sessions.hold(session);
      const isReplaced = await this.users.replacePassword(userId, passwordHash, credentials);
      if (!isReplaced || !(await this.secondFactor.need(userId, needsFactor))) {
        throw new InvalidCredentialsError();
      }
      await this.events.passwordChanged(userId, 'success', origin);
      await this.sessions.revokeAll(userId, sessionId);
    });
    await changed.catch(async (error: unknown) => {
      if (error instanceof InvalidCredentialsError)
        await this.events.passwordChanged(userId, 'failure', origin);
      throw error;
    });
  }
}
