import { Injectable } from '@nestjs/common';
import { type AuditAction } from '../audit/audit-actions.js';
import { AuditService } from '../audit/audit.service.js';
import { type SessionPrincipal } from '../common/access.js';
import { type Caller } from '../common/caller.js';
import { type Page } from '../common/pagination.js';
import { Database } from '../database/database.js';
import { KeyDestructionService } from '../keys/key-destruction.service.js';
import { AttemptThrottle } from '../throttle/attempt-throttle.js';
import {
  type AdministeredUser,
  type UserChanges,
  type UserSearch,
  UserAdministrationService,
} from '../users/user-administration.service.js';
import { UsersService } from '../users/users.service.js';
import { ApiKeysService } from './api-keys.service.js';
import { InvalidCredentialsError, UnauthenticatedError } from './errors.js';
import { LastAdministratorError, UserNotFoundError } from '../users/errors.js';
import { SessionsService } from './sessions.service.js';

/** Changes of an account that end what is open in it, and its own end. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersService,
    private readonly administration: UserAdministrationService,
    private readonly sessions: SessionsService,
    private readonly apiKeys: ApiKeysService,
    private readonly keys: KeyDestructionService,
    private readonly throttle: AttemptThrottle,
    private readonly audit: AuditService,
    private readonly database: Database,
  ) {}

  /** One page of users. That they were looked at is on the disk before they are given out. */
  async list({ userId: actor, ...origin }: Caller, search: UserSearch): Promise<Page<AdministeredUser>> {
    const page = await this.administration.list(search);
    await this.audit.record({ actor, action: 'user.list', outcome: 'success', ...origin });
    return page;
  }

  /**
   * Changes a user's roles, or disables or enables them. A change ends their sessions; disabling ends their API keys
   * too. Both count at once here and within a second on every other instance.
   *
   * @throws {UserNotFoundError}
   * @throws {LastAdministratorError}
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   */
  async update(
    caller: Caller,
    session: SessionPrincipal,
    userId: string,
    changes: UserChanges,
  ): Promise<AdministeredUser> {
    return this.database.transaction(async () => {
      // Who is demoted at this moment doesn't undo it.
      await this.administration.holdAdministrators();
      await this.sessions.hold(session);
      const { before, after } = await this.administration.update(userId, changes);
      const actions = actionsOf(before, after);
      for (const action of actions) await this.#record(caller, action, userId);
      if (after.isDisabled) await this.apiKeys.deleteAll(userId);
      else if (actions.length > 0) await this.apiKeys.forgetAll(userId);
      if (actions.length > 0) await this.sessions.revokeAll(userId);
      return after;
    });
  }

  /**
   * @throws {UserNotFoundError}
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   */
  async endSessions(caller: Caller, session: SessionPrincipal, userId: string): Promise<void> {
    await this.database.transaction(async () => {
      await this.administration.holdAdministrators();
      await this.sessions.hold(session);
      await this.administration.hold(userId);
      await this.#record(caller, 'user.end-sessions', userId);
      await this.sessions.revokeAll(userId);
    });
  }

  /**
   * Ends an account: its keys are destroyed, so nothing of it can be read again, in backups either, and its rows are
   * removed. The event that tells of it names nobody but the id.
   *
   * @throws {InvalidCredentialsError} when it isn't the caller's password
   * @throws {LastAdministratorError}
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   */
  async delete(caller: Caller, session: SessionPrincipal, password: string): Promise<void> {
    const { userId, requestId } = caller;
    const credentials = await this.users.findCredentialsOf(userId);
    if (!credentials) throw new UnauthenticatedError();
    const verified = await this.throttle.attempt({
      kind: 'password',
      // Apart from logins, or strangers who fail at those could keep somebody from leaving.
      subject: `${userId}/account`,
      verify: () => this.users.verifyPassword(credentials, password),
      imitate: () => this.users.imitateVerification(password),
      onRefusal: () => this.#record(caller, 'user.delete', userId, 'failure'),
    });
    if (verified === undefined) throw new InvalidCredentialsError();
    const deleted = this.database.transaction(async () => {
      await this.administration.holdForDeletion(userId);
      await this.sessions.hold(session);
      await this.sessions.revokeAll(userId);
      await this.apiKeys.forgetAll(userId);
      // The user before keys, as whoever writes a row of theirs locks them.
      await this.administration.delete(userId);
      await this.throttle.forget(userId);
      await this.keys.destroyOwner(userId);
      const event = { action: 'user.delete', target: `user:${userId}`, outcome: 'success' } as const;
      await this.audit.record({ actor: userId, ...event, requestId });
    });
    await deleted.catch(async (error: unknown) => {
      if (error instanceof LastAdministratorError)
        await this.#record(caller, 'user.delete', userId, 'failure');
      throw error instanceof UserNotFoundError ? new UnauthenticatedError() : error;
    });
  }

  async #record(
    { userId: actor, ...origin }: Caller,
    action: AuditAction,
    ownerId: string,
    outcome: 'success' | 'failure' = 'success',
  ): Promise<void> {
    await this.audit.record({ actor, action, target: `user:${ownerId}`, ownerId, outcome, ...origin });
  }
}

function actionsOf(before: AdministeredUser, after: AdministeredUser): AuditAction[] {
  const isSame = before.roles.join(' ') === after.roles.join(' ');
  const actions: AuditAction[] = isSame ? [] : ['user.roles'];
  if (before.isDisabled !== after.isDisabled) actions.push(after.isDisabled ? 'user.disable' : 'user.enable');
  return actions;
}
