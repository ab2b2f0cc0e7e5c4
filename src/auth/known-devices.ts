import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { uuidv7 } from '../common/id.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { DecryptionError } from '../crypto/errors.js';
import { SYSTEM_OWNER } from '../keys/key-purposes.js';

/** So that people and scanners recognise one. */
const PREFIX = 'sasd_';

/**
 * Devices that have signed in to an account before (the device cookies of OWASP, for clients that may have no
 * cookies). A device token is the device's id, encrypted for one account: only the server can make one, and only
 * after a login. It lets nobody in. It counts failures apart from those of everybody else.
 */
@Injectable()
export class KnownDevices {
  constructor(
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
  ) {}

  /** The id of the device that was given this token for this account; `undefined` for all else. */
  async recognise(userId: string | undefined, token: string | undefined): Promise<string | undefined> {
    if (token?.startsWith(PREFIX) !== true) return undefined;
    const envelope = Buffer.from(token.slice(PREFIX.length), 'base64url');
    try {
      const deviceId = await this.crypto.decrypt(envelope, contextOf(userId ?? 'unknown'));
      return deviceId.toString('latin1');
    } catch (error) {
      if (error instanceof DecryptionError) return undefined;
      throw error;
    }
  }

  /** A token for a device that has just signed in, under the key that is primary now. */
  async tokenFor(userId: string, deviceId: string = uuidv7(this.clock.nowMs())): Promise<string> {
    const envelope = await this.crypto.encrypt(Buffer.from(deviceId, 'latin1'), contextOf(userId));
    return PREFIX + envelope.toString('base64url');
  }
}

function contextOf(userId: string): EncryptionContext {
  return { purpose: 'device-token', owner: SYSTEM_OWNER, user: userId };
}
