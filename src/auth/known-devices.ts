import { Injectable } from '@nestjs/common';
import { OwnerDeletedError } from '../common/app-error.js';
import { Clock } from '../common/clock.js';
import { timeOfId, uuidv7 } from '../common/id.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { DecryptionError } from '../crypto/errors.js';
import { SecondFactorService } from '../factors/second-factor.service.js';
import { SYSTEM_OWNER } from '../keys/key-purposes.js';
import { type Credentials } from '../users/users.service.js';

/** So that people and scanners recognise one. */
const PREFIX = 'sasd_';

/**
 * Devices that have signed in to an account before (the device cookies of OWASP, for clients that may have no
 * cookies). A device token is the device's id, encrypted for one account: only the server can make one, and only
 * after a login. It lets nobody in. It counts failures apart from those of everybody else.
 *
 * Whoever has signed in may have gathered any number of tokens, each with guesses of its own. So none counts any more
 * once there is something else to guess: another password, or a second factor.
 */
@Injectable()
export class KnownDevices {
  constructor(
    private readonly secondFactor: SecondFactorService,
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
  ) {}

  /**
   * The id of the device that was given this token for this account and has signed in since its password and its second
   * factor are what they are; `undefined` for all else.
   */
  async recognise(
    { userId, passwordChangedAtMs }: Credentials,
    token: string | undefined,
  ): Promise<string | undefined> {
    if (token?.startsWith(PREFIX) !== true) return undefined;
    const envelope = Buffer.from(token.slice(PREFIX.length), 'base64url');
    // An address that nobody has costs the same work.
    const deviceId = await this.#open(userId ?? 'unknown', envelope);
    if (userId === undefined || deviceId === undefined) return undefined;
    const isOfNow = timeOfId(deviceId) >= (await this.#factorsSince(userId, passwordChangedAtMs));
    return isOfNow ? deviceId : undefined;
  }

  /**
   * A token for a device that shows the password and second factor of this account, under the key that is primary now.
   *
   * @param knownId - what `recognise` gave; without it the device gets an id
   */
  async tokenFor(userId: string, passwordChangedAtMs: number, knownId: string | undefined): Promise<string> {
    const deviceId = knownId ?? (await this.#newId(userId, passwordChangedAtMs));
    const envelope = await this.crypto.encrypt(Buffer.from(deviceId, 'latin1'), contextOf(userId));
    return PREFIX + envelope.toString('base64url');
  }

  /** Never of before the password and the factor, which may be older than a clock that was set back. */
  async #newId(userId: string, passwordChangedAtMs: number): Promise<string> {
    return uuidv7(Math.max(this.clock.nowMs(), await this.#factorsSince(userId, passwordChangedAtMs)));
  }

  async #factorsSince(userId: string, passwordChangedAtMs: number): Promise<number> {
    return Math.max(passwordChangedAtMs, (await this.secondFactor.activeSince(userId)) ?? 0);
  }

  async #open(userId: string, envelope: Buffer): Promise<string | undefined> {
    try {
      return (await this.crypto.decrypt(envelope, contextOf(userId))).toString('latin1');
    } catch (error) {
      // Whatever key it names, also one of somebody else who is gone.
      if (error instanceof DecryptionError || error instanceof OwnerDeletedError) return undefined;
      throw error;
    }
  }
}

function contextOf(userId: string): EncryptionContext {
  return { purpose: 'device-token', owner: SYSTEM_OWNER, user: userId };
}
