import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { OwnerDeletedError } from '../common/app-error.js';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { PublicKeysService, type RecipientKey } from '../keys/public-keys.service.js';
import { GrantNotFoundError } from './errors.js';
import { type OpenedGrant, type ReceivedGrant, sealingInfo } from './grant.js';
import { GrantsRepository } from './grants.repository.js';
import { SecretReader } from './secret-reader.js';
import { type Secret } from './secret.js';

/** What users read of secrets that others granted them. */
@Injectable()
export class ReceivedGrantsService {
  constructor(
    private readonly grants: GrantsRepository,
    private readonly reader: SecretReader,
    private readonly publicKeys: PublicKeysService,
    private readonly crypto: CryptoService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** Those in force, newest first. */
  async list(
    recipientId: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<ReceivedGrant>> {
    const page = { belowId: decodeCursor(cursor), limit };
    const rows = await this.grants.listReceived(recipientId, page, this.clock.nowMs());
    const { items, nextCursor } = toPage(rows, limit, ({ id }) => id);
    return {
      nextCursor,
      items: items.map((row) => ({
        id: row.id,
        ownerId: row.owner_id,
        name: row.name,
        version: row.version,
        createdAt: new Date(row.created_at),
        expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
      })),
    };
  }

  /**
   * The granted version as it is now; sealed, when the recipient has registered a key of their own. That it was
   * read is on the disk before it is given out.
   *
   * @throws {GrantNotFoundError} also after revocation and expiry
   * @throws {SecretGoneError} when the version is deleted or destroyed or has expired
   * @throws {AuditUnavailableError}
   */
  async open({ userId, ip, requestId }: Caller, id: string): Promise<OpenedGrant> {
    const nowMs = this.clock.nowMs();
    const granted = await this.grants.findGranted(userId, id, nowMs);
    if (!granted) throw new GrantNotFoundError();
    const ownerId = granted.owner_id;
    const secret = await this.reader.decrypt(ownerId, granted, nowMs).catch((error: unknown) => {
      throw error instanceof OwnerDeletedError ? new GrantNotFoundError() : error;
    });
    const recipient = await this.publicKeys.find(userId);
    if (!recipient) throw new GrantNotFoundError();
    const content =
      recipient.holder === 'server'
        ? { data: secret.data }
        : await this.#seal(recipient, ownerId, secret, userId);
    const target = `secret:${secret.name}#${secret.version}`;
    const read = { action: 'grant.read', target, ownerId, outcome: 'success' } as const;
    await this.audit.record({ actor: userId, ...read, ip, requestId });
    return { id, ownerId, secret, content };
  }

  async #seal({ publicKey }: RecipientKey, ownerId: string, secret: Secret, recipientId: string) {
    const info = sealingInfo(ownerId, secret, recipientId);
    const plaintext = Buffer.from(JSON.stringify(secret.data), 'utf8');
    const sealed = await this.crypto.seal(publicKey, plaintext, info);
    plaintext.fill(0);
    return { sealed, kem: publicKey.kem, info };
  }
}
