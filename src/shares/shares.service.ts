import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { futureTime } from '../common/future-time.js';
import { isId, uuidv7 } from '../common/id.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { KeyDestructionService } from '../keys/key-destruction.service.js';
import { ShareNotFoundError } from './errors.js';
import {
  type CreatedShare,
  dataContext,
  type NewShare,
  type OwnShare,
  passphraseContext,
  SHARE_TOKEN_PREFIX,
  type ShareState,
} from './share.js';
import { type ShareRow, SharesRepository } from './shares.repository.js';

const DAY_MS = 86_400_000;
const DEFAULT_LIFE_MS = 7 * DAY_MS;
const MAX_LIFE_MS = 90 * DAY_MS;

/** The shares of one owner. Each is encrypted under a data key of its own. */
@Injectable()
export class SharesService {
  constructor(
    private readonly repository: SharesRepository,
    private readonly crypto: CryptoService,
    private readonly keys: KeyDestructionService,
    private readonly audit: AuditService,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws {ValidationError} when it would have expired already, or would live for more than 90 days
   * @throws HashQueueFullError
   */
  async create(caller: Caller, { data, views, expiresAt, passphrase }: NewShare): Promise<CreatedShare> {
    const nowMs = this.clock.nowMs();
    const expiresAtMs = expiresAt
      ? futureTime(expiresAt, nowMs, nowMs + MAX_LIFE_MS)
      : nowMs + DEFAULT_LIFE_MS;
    const id = uuidv7(nowMs);
    const token = this.crypto.randomToken(SHARE_TOKEN_PREFIX);
    // Before the transaction, which nobody else can write beside on SQLite.
    const hash =
      passphrase === undefined ? null : await this.crypto.hashPassword(passphrase, passphraseContext(id));
    await this.database.transaction(async () => {
      const ciphertext = await this.crypto.encrypt(
        Buffer.from(JSON.stringify(data), 'utf8'),
        dataContext(caller.userId, id),
      );
      await this.repository.insert({
        id,
        owner_id: caller.userId,
        token_digest: this.#digest(token),
        key_id: keyIdOf(ciphertext),
        ciphertext,
        passphrase_key_id: hash && keyIdOf(hash),
        passphrase_ciphertext: hash,
        views,
        views_left: views,
        created_at: nowMs,
        expires_at: expiresAtMs,
      });
      await this.#record(caller, 'share.create', id, token);
    });
    return { id, token, views, expiresAt: new Date(expiresAtMs) };
  }

  /** Newest first, each with its receipt. */
  async list(
    ownerId: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<OwnShare>> {
    const rows = await this.repository.list(ownerId, { belowId: decodeCursor(cursor), limit });
    const { items, nextCursor } = toPage(rows, limit, (row) => row.id);
    const reveals = await this.repository.listReveals(items.map(({ id }) => id));
    const timesById = Map.groupBy(reveals, (reveal) => reveal.share_id);
    const nowMs = this.clock.nowMs();
    return {
      nextCursor,
      items: items.map((row) => ({
        id: row.id,
        state: stateOf(row, nowMs),
        views: row.views,
        viewsLeft: row.views_left,
        needsPassphrase: row.passphrase_key_id !== null,
        createdAt: new Date(row.created_at),
        expiresAt: new Date(row.expires_at),
        revealedAt: (timesById.get(row.id) ?? []).map((reveal) => new Date(reveal.revealed_at)),
      })),
    };
  }

  /**
   * Ends a share and forgets its receipt.
   *
   * @throws {ShareNotFoundError}
   */
  async delete(caller: Caller, id: string): Promise<void> {
    if (!isId(id)) throw new ShareNotFoundError();
    await this.database.transaction(async () => {
      const deleted = await this.repository.delete(caller.userId, id);
      if (!deleted) throw new ShareNotFoundError();
      await this.keys.destroyValueKeys([deleted.key_id].filter((keyId) => keyId !== ''));
      await this.#record(caller, 'share.delete', id);
    });
  }

  #digest(token: string): Buffer {
    const digest = this.crypto.digestToken(SHARE_TOKEN_PREFIX, token);
    if (!digest) throw new TypeError('a new token has no digest');
    return digest;
  }

  #record(
    { userId, ip, requestId }: Caller,
    action: 'share.create' | 'share.delete',
    id: string,
    token?: string,
  ): Promise<void> {
    return this.audit.record({
      actor: userId,
      action,
      target: `share:${id}`,
      outcome: 'success',
      ...(token === undefined ? {} : { value: token }),
      ip,
      requestId,
    });
  }
}

function stateOf(row: Pick<ShareRow, 'views_left' | 'expires_at'>, nowMs: number): ShareState {
  if (row.views_left === 0) return 'used';
  return row.expires_at <= nowMs ? 'expired' : 'active';
}
