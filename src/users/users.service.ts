import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { uuidv7 } from '../common/id.js';
import { type Role } from '../common/permissions.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { KeyringService } from '../keys/keyring.service.js';
import { refuseInvisible } from './email-address.js';
import { EMAIL_INDEX, emailContext, passwordContext } from './encryption-contexts.js';
import { EmailTakenError } from './errors.js';
import { needsSecondFactor } from './password-policy.js';
import { PasswordPolicy } from './password-policy.service.js';
import { type UserRow, UsersRepository } from './users.repository.js';

export interface User {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly Role[];
  readonly createdAt: Date;
}

/** Who signs in, as far as an address says. */
export interface Credentials {
  readonly userId: string | undefined;
  /** Names the account to the throttle, also one that does not exist. */
  readonly subject: string;
  readonly passwordHash: Uint8Array | undefined;
  readonly passwordChangedAtMs: number;
  readonly isDisabled: boolean;
}

@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly crypto: CryptoService,
    private readonly keyring: KeyringService,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly policy: PasswordPolicy,
  ) {}

  /**
   * Adds a user with a key-encryption key of their own; destroying that key later makes everything of
   * theirs unreadable.
   *
   * @param onCreated called in the transaction, to record it
   * @throws {ValidationError} when the password is too weak, or the address has what nobody sees
   * @throws {EmailTakenError}
   */
  async create(
    email: string,
    password: string,
    roles: readonly Role[],
    onCreated?: (userId: string) => Promise<void>,
  ): Promise<User> {
    refuseInvisible(email);
    await this.policy.check(password, email, '/password');
    // Before the hash, which is slow, and again in the transaction, which decides.
    if (await this.#findByEmail(email)) throw new EmailTakenError();
    const nowMs = this.clock.nowMs();
    const id = uuidv7(nowMs);
    const passwordCiphertext = await this.crypto.hashPassword(password, passwordContext(id));
    await this.database.transaction(async () => {
      const indexes = await this.crypto.blindIndexCandidates(email, EMAIL_INDEX);
      // The unique constraint sees only equal bytes: not the address under an index key being replaced.
      await this.repository.lockEmailIndexes(indexes);
      if (await this.repository.findByEmailIndexes(indexes)) throw new EmailTakenError();
      await this.keyring.createUserKey(id);
      const emailCiphertext = await this.crypto.encrypt(Buffer.from(email, 'utf8'), emailContext(id));
      const isInserted = await this.repository.insert({
        id,
        email_ciphertext: emailCiphertext,
        email_key_id: keyIdOf(emailCiphertext),
        email_index: await this.crypto.blindIndex(email, EMAIL_INDEX),
        password_ciphertext: passwordCiphertext,
        password_key_id: keyIdOf(passwordCiphertext),
        password_changed_at: nowMs,
        roles: roles.join(' '),
        created_at: nowMs,
        disabled_at: null,
      });
      if (!isInserted) throw new EmailTakenError();
      await onCreated?.(id);
    });
    return { id, email, roles, createdAt: new Date(nowMs) };
  }

  /** The user, or `undefined`. */
  async find(id: string): Promise<User | undefined> {
    const row = await this.repository.find(id);
    return row && this.#toUser(row);
  }

  /** What a password for this address is checked against. An address that nobody has gets the same answer. */
  async findCredentials(email: string): Promise<Credentials> {
    const row = await this.#findByEmail(email);
    if (row) return credentialsOf(row);
    const index = await this.crypto.blindIndex(email, EMAIL_INDEX);
    return {
      userId: undefined,
      subject: `unknown:${index.toString('hex')}`,
      passwordHash: undefined,
      passwordChangedAtMs: 0,
      isDisabled: false,
    };
  }

  /** The same of a user who is known already; `undefined` when they are gone. */
  async findCredentialsOf(userId: string): Promise<Credentials | undefined> {
    const row = await this.repository.find(userId);
    return row && credentialsOf(row);
  }

  /**
   * The id of the user whose password this is, or `undefined`. A wrong password, an address that nobody has and a
   * disabled user cost the same work.
   *
   * @throws {HashQueueFullError}
   */
  async verifyPassword(
    { userId, passwordHash, passwordChangedAtMs, isDisabled }: Credentials,
    password: string,
  ): Promise<string | undefined> {
    const context = passwordContext(userId ?? 'unknown');
    const { ok, needsRehash } = await this.crypto.verifyPassword(password, passwordHash, context);
    if (userId === undefined || !ok || isDisabled) return undefined;
    if (needsRehash) {
      const ciphertext = await this.crypto.hashPassword(password, context);
      const rehashed = { ciphertext, keyId: keyIdOf(ciphertext) };
      await this.repository.rehashPassword(userId, rehashed, passwordChangedAtMs);
    }
    return userId;
  }

  /** The work of `verifyPassword`, for nothing. @throws {HashQueueFullError} */
  async imitateVerification(password: string): Promise<void> {
    await this.crypto.verifyPassword(password, undefined, passwordContext('unknown'));
  }

  /**
   * @param pointer the field that the password came in
   * @param hasSecondFactor - whether the user's login needs one as well
   * @returns whether the password is long enough only as long as it does
   * @throws {ValidationError} when the user may not choose it
   */
  async checkNewPassword(
    userId: string,
    password: string,
    pointer: string,
    hasSecondFactor: boolean,
  ): Promise<boolean> {
    const user = await this.find(userId);
    await this.policy.check(password, user?.email ?? '', pointer, hasSecondFactor);
    return needsSecondFactor(password);
  }

  /** For `replacePassword`. @throws {HashQueueFullError} */
  async hashPassword(userId: string, password: string): Promise<Uint8Array> {
    return this.crypto.hashPassword(password, passwordContext(userId));
  }

  /** @returns false when it was changed since the credentials were read */
  async replacePassword(
    userId: string,
    passwordHash: Uint8Array,
    { passwordChangedAtMs: before }: Credentials,
  ): Promise<boolean> {
    // Never the same time twice, or a login that verified the old password could not tell.
    const changedAtMs = Math.max(this.clock.nowMs(), before + 1);
    const password = { ciphertext: passwordHash, keyId: keyIdOf(passwordHash) };
    return this.repository.replacePassword(userId, password, { before, changedAtMs });
  }

  async #findByEmail(email: string): Promise<UserRow | undefined> {
    const indexes = await this.crypto.blindIndexCandidates(email, EMAIL_INDEX);
    return this.repository.findByEmailIndexes(indexes);
  }

  async #toUser(row: UserRow): Promise<User> {
    const email = await this.crypto.decrypt(row.email_ciphertext, emailContext(row.id));
    return {
      id: row.id,
      email: email.toString('utf8'),
      roles: row.roles.split(' ') as Role[],
      createdAt: new Date(row.created_at),
    };
  }
}

function credentialsOf(row: UserRow): Credentials {
  return {
    userId: row.id,
    subject: row.id,
    passwordHash: row.password_ciphertext,
    passwordChangedAtMs: row.password_changed_at,
    isDisabled: row.disabled_at !== null,
  };
}
