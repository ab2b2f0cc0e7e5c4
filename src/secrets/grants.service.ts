import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { OwnerDeletedError, ValidationError } from '../common/app-error.js';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { futureTime } from '../common/future-time.js';
import { uuidv7 } from '../common/id.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { Database } from '../database/database.js';
import { PublicKeysService } from '../keys/public-keys.service.js';
import { GrantNotFoundError, RecipientNotFoundError, SecretNotFoundError } from './errors.js';
import { type GivenGrant } from './grant.js';
import { GrantsRepository } from './grants.repository.js';
import { SecretVersionsRepository } from './secret-versions.repository.js';
import { SecretsRepository } from './secrets.repository.js';

interface NewGrant {
  readonly userId: string;
  /** Absent follows the latest version. */
  readonly version?: number;
  readonly expiresAt?: Date;
}

/** Grants that the owner of a secret gives. A grant is a right to read and no copy. */
@Injectable()
export class GrantsService {
  constructor(
    private readonly grants: GrantsRepository,
    private readonly secrets: SecretsRepository,
    private readonly versions: SecretVersionsRepository,
    private readonly publicKeys: PublicKeysService,
    private readonly audit: AuditService,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws {ValidationError} for a grant to oneself, and one that would have expired already
   * @throws {SecretNotFoundError} also for a version that is not there
   * @throws {RecipientNotFoundError}
   */
  async create(caller: Caller, name: string, { userId, version, expiresAt }: NewGrant): Promise<GivenGrant> {
    if (userId === caller.userId) {
      throw new ValidationError([{ pointer: '/userId', detail: 'must be another user' }]);
    }
    const expiresAtMs = expiresAt ? futureTime(expiresAt, this.clock.nowMs()) : null;
    const created = this.database.transaction(async () => {
      const secret = await this.secrets.findForUpdate(caller.userId, name);
      if (!secret) throw new SecretNotFoundError();
      if (version !== undefined && (await this.versions.findForUpdate(secret.id, [version])).length === 0) {
        throw new SecretNotFoundError();
      }
      // Whoever has keys is a user. Their table is another feature's.
      if (!(await this.publicKeys.has(userId))) throw new RecipientNotFoundError();
      const nowMs = this.clock.nowMs();
      const row = {
        id: uuidv7(nowMs),
        secret_id: secret.id,
        recipient_id: userId,
        version: version ?? null,
        created_at: nowMs,
        expires_at: expiresAtMs,
      };
      await this.grants.insert(row);
      await this.#record(caller, 'grant.create', row.id, userId);
      return toGiven(row, name);
    });
    return created.catch(async (error: unknown) => {
      // One of the two was deleted meanwhile.
      const isRecipient = error instanceof OwnerDeletedError && !(await this.publicKeys.has(userId));
      throw isRecipient ? new RecipientNotFoundError() : error;
    });
  }

  /**
   * Newest first, those that have expired included.
   *
   * @throws {SecretNotFoundError}
   */
  async list(
    ownerId: string,
    name: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<GivenGrant>> {
    const secret = await this.secrets.find(ownerId, name);
    if (!secret) throw new SecretNotFoundError();
    const rows = await this.grants.list(secret.id, { belowId: decodeCursor(cursor), limit });
    const { items, nextCursor } = toPage(rows, limit, ({ id }) => id);
    return { items: items.map((row) => toGiven(row, name)), nextCursor };
  }

  /**
   * From now on the recipient reads nothing more with it. Every later version is under a data key of its own, which
   * they never had anything to do with.
   *
   * @throws {SecretNotFoundError}
   * @throws {GrantNotFoundError}
   */
  async revoke(caller: Caller, name: string, id: string): Promise<void> {
    await this.database.transaction(async () => {
      const secret = await this.secrets.findForUpdate(caller.userId, name);
      if (!secret) throw new SecretNotFoundError();
      const revoked = await this.grants.delete(secret.id, id);
      if (!revoked) throw new GrantNotFoundError();
      await this.#record(caller, 'grant.revoke', id, revoked.recipient_id);
    });
  }

  /** The recipient sees it in their log too. */
  #record(
    { userId, ip, requestId }: Caller,
    action: 'grant.create' | 'grant.revoke',
    id: string,
    recipientId: string,
  ): Promise<void> {
    const concerned = { target: `grant:${id}`, ownerId: recipientId, outcome: 'success' } as const;
    return this.audit.record({ actor: userId, action, ...concerned, ip, requestId });
  }
}

function toGiven(
  row: {
    readonly id: string;
    readonly recipient_id: string;
    readonly version: number | null;
    readonly created_at: number;
    readonly expires_at: number | null;
  },
  name: string,
): GivenGrant {
  return {
    id: row.id,
    name,
    recipientId: row.recipient_id,
    version: row.version,
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
  };
}
