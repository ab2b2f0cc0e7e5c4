import { Injectable } from '@nestjs/common';
import { OwnerDeletedError } from '../common/app-error.js';
import { Clock } from '../common/clock.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { inOrder, type Role } from '../common/permissions.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { EMAIL_INDEX, emailContext } from './encryption-contexts.js';
import { LastAdministratorError, UserNotFoundError } from './errors.js';
import { type AdministeredUserRow, UserAdministrationRepository } from './user-administration.repository.js';
import { type User } from './users.service.js';

export interface AdministeredUser extends User {
  readonly isDisabled: boolean;
}

export interface UserSearch {
  readonly email?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface UserChanges {
  readonly roles?: readonly Role[];
  readonly isDisabled?: boolean;
}

/** What administrators see and change of users: who they are and whether they get in, never their data. */
@Injectable()
export class UserAdministrationService {
  constructor(
    private readonly repository: UserAdministrationRepository,
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
  ) {}

  /** One page, optionally only who has exactly this e-mail address, upper and lower case alike. */
  async list({ email, cursor, limit }: UserSearch): Promise<Page<AdministeredUser>> {
    const indexes =
      email === undefined ? undefined : await this.crypto.blindIndexCandidates(email, EMAIL_INDEX);
    const rows = await this.repository.list({ limit, afterId: decodeCursor(cursor) }, indexes);
    const { items, nextCursor } = toPage(rows, limit, (row) => row.id);
    const users = await Promise.all(items.map((row) => this.#toUserUnlessDeleted(row)));
    return { items: users.filter((user) => user !== undefined), nextCursor };
  }

  /**
   * Every enabled administrator stays one until the surrounding transaction ends. First of all in it, for the order in
   * which rows are locked.
   */
  async holdAdministrators(): Promise<void> {
    await this.repository.findAdministratorsForUpdate();
  }

  /**
   * Changes roles, or lets a user in no more. Call it in the transaction that ends what the user has open.
   *
   * @returns the user before and after
   * @throws {UserNotFoundError}
   * @throws {LastAdministratorError} when nobody would be left to administer
   */
  async update(
    id: string,
    changes: UserChanges,
  ): Promise<{ readonly before: AdministeredUser; readonly after: AdministeredUser }> {
    const administrators = await this.repository.findAdministratorsForUpdate();
    const row = await this.repository.findForUpdate(id);
    if (!row) throw new UserNotFoundError();
    const before = await this.#toUser(row);
    const after = { ...before, ...changes, roles: inOrder(changes.roles ?? before.roles) };
    if (!isAdministrator(after)) refuseLast(id, administrators);
    const disabledAt = after.isDisabled ? (row.disabled_at ?? this.clock.nowMs()) : null;
    await this.repository.update(id, { roles: after.roles.join(' '), disabled_at: disabledAt });
    return { before, after };
  }

  /** Whether there is such a user, who then stays as they are until the surrounding transaction ends. */
  async isHeld(id: string): Promise<boolean> {
    return (await this.repository.findForUpdate(id)) !== undefined;
  }

  /** The same. @throws {UserNotFoundError} */
  async hold(id: string): Promise<void> {
    if (!(await this.isHeld(id))) throw new UserNotFoundError();
  }

  /**
   * The same for a user who goes. First of all in its transaction, for the order in which rows are locked.
   *
   * @throws {UserNotFoundError} when somebody was faster
   * @throws {LastAdministratorError}
   */
  async holdForDeletion(id: string): Promise<void> {
    refuseLast(id, await this.repository.findAdministratorsForUpdate());
    await this.hold(id);
  }

  /** Removes a user and every row of theirs. Call it in the transaction that destroys their keys. */
  async delete(id: string): Promise<void> {
    await this.repository.delete(id);
  }

  /** Nothing of a user who was deleted since their row was read can be. */
  async #toUserUnlessDeleted(row: AdministeredUserRow): Promise<AdministeredUser | undefined> {
    try {
      return await this.#toUser(row);
    } catch (error) {
      if (error instanceof OwnerDeletedError) return undefined;
      throw error;
    }
  }

  async #toUser(row: AdministeredUserRow): Promise<AdministeredUser> {
    const email = await this.crypto.decrypt(row.email_ciphertext, emailContext(row.id));
    return {
      id: row.id,
      email: email.toString('utf8'),
      roles: inOrder(row.roles.split(' ') as Role[]),
      createdAt: new Date(row.created_at),
      isDisabled: row.disabled_at !== null,
    };
  }
}

function isAdministrator({ roles, isDisabled }: AdministeredUser): boolean {
  return !isDisabled && roles.includes('admin');
}

function refuseLast(id: string, administrators: readonly string[]): void {
  if (administrators.length === 1 && administrators[0] === id) throw new LastAdministratorError();
}
