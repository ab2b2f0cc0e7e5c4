import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { type SessionPrincipal } from '../common/access.js';
import { ValidationError } from '../common/app-error.js';
import { type Caller } from '../common/caller.js';
import { InvalidPublicKeyError } from '../crypto/sealing-suites.js';
import { Database } from '../database/database.js';
import { PublicKeysService, type RecipientKey } from '../keys/public-keys.service.js';
import { SessionsService } from './sessions.service.js';

/** A user takes their private key into their own hands. */
@Injectable()
export class PublicKeyRegistration {
  constructor(
    private readonly publicKeys: PublicKeysService,
    private readonly sessions: SessionsService,
    private readonly audit: AuditService,
    private readonly database: Database,
  ) {}

  /**
   * @throws {ValidationError} for what is no public key
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   */
  async register(
    { userId, ...origin }: Caller,
    session: SessionPrincipal,
    bytes: Uint8Array,
  ): Promise<RecipientKey> {
    return this.database.transaction(async () => {
      // What others share from now on is sealed to this key: not to that of a thief who was signed out.
      await this.sessions.hold(session);
      const registered = await this.publicKeys.register(userId, bytes).catch(nameField);
      const target = `public-key:${registered.publicKey.id}`;
      const event = { action: 'user.public-key', target, outcome: 'success' } as const;
      await this.audit.record({ actor: userId, ...event, ...origin });
      return registered;
    });
  }
}

function nameField(error: unknown): never {
  if (!(error instanceof InvalidPublicKeyError)) throw error;
  throw new ValidationError([{ pointer: '/publicKey', detail: error.message }]);
}
