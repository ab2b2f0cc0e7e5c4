import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { type Principal, type SessionPrincipal } from '../common/access.js';
import { ForbiddenError } from '../common/app-error.js';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { ExpiringCache } from '../common/expiring-cache.js';
import { futureTime } from '../common/future-time.js';
import { uuidv7 } from '../common/id.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { type Permission, permissionsOf, type Role, scopes } from '../common/permissions.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { Database } from '../database/database.js';
import { ApiKeysRepository, type ListedApiKey } from './api-keys.repository.js';
import { ApiKeyNotFoundError, UnauthenticatedError } from './errors.js';
import { SessionsService } from './sessions.service.js';

const PREFIX = 'sask';
/** What of a key is kept in clear, so that people know it again: the prefix and 8 of 43 random characters. */
const SHOWN_CHARACTERS = PREFIX.length + 1 + 8;
/** A key deleted elsewhere, or a role changed, is noticed within this time. */
const RECHECK_MS = 1_000;
const MAX_CACHED_KEYS = 10_000;
/** A use is noted at most once in this time: a request must not cost a write. */
const LAST_USE_PRECISION_MS = 60_000;

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** How the key begins. */
  readonly prefix: string;
  readonly scopes: readonly Permission[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly expiresAt?: Date;
}

/** API keys: for programs, each with no more permissions than it was made for. Only their digests are stored. */
@Injectable()
export class ApiKeysService {
  readonly #live: ExpiringCache<Principal | undefined>;

  constructor(
    private readonly repository: ApiKeysRepository,
    private readonly sessions: SessionsService,
    private readonly audit: AuditService,
    private readonly crypto: CryptoService,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    this.#live = new ExpiringCache({ ttlMs: RECHECK_MS, maxEntries: MAX_CACHED_KEYS }, clock, (digest) =>
      this.#loadLive(digest),
    );
  }

  /** Whether a bearer token may be an API key. */
  isApiKey(token: string): boolean {
    return token.startsWith(PREFIX) && token[PREFIX.length] === '_';
  }

  /**
   * Who sends a request with this key, at most one second old. A promise only where it must be looked up.
   *
   * @throws {UnauthenticatedError} for an unknown, deleted or expired key and that of a disabled user
   */
  authenticate(key: string): Principal | Promise<Principal> {
    const digest = this.crypto.digestToken(PREFIX, key)?.toString('base64url');
    if (digest === undefined) throw new UnauthenticatedError();
    return this.#live.peek(digest) ?? this.#live.get(digest).then(known);
  }

  /**
   * @param session - what it may do, a key may do at most
   * @returns the new key with its text, which is shown once
   * @throws {UnauthenticatedError} when the session has ended since its token was accepted
   * @throws {ForbiddenError} when a scope is beyond the caller's
   * @throws {ValidationError} when it would have expired already
   */
  async create(
    { userId, ...origin }: Caller,
    session: SessionPrincipal,
    { name, scopes: asked, expiresAt }: NewApiKey,
  ): Promise<ApiKey & { readonly key: string }> {
    const beyond = asked.find((scope) => !session.permissions.has(scope));
    if (beyond !== undefined) {
      await this.audit.recordDenial(userId, beyond, origin);
      throw new ForbiddenError();
    }
    const nowMs = this.clock.nowMs();
    const key = this.crypto.randomToken(PREFIX);
    const digest = this.crypto.digestToken(PREFIX, key);
    if (!digest) throw new Error('a new API key is malformed');
    const row = {
      id: uuidv7(nowMs),
      name,
      prefix: key.slice(0, SHOWN_CHARACTERS),
      scopes: asked.join(' '),
      created_at: nowMs,
      expires_at: expiresAt ? futureTime(expiresAt, nowMs) : null,
      last_used_at: null,
    };
    await this.database.transaction(async () => {
      // Who is disabled at this moment is left without keys.
      await this.sessions.hold(session);
      await this.repository.insert({ ...row, user_id: userId, digest });
      const event = { action: 'api-key.create', target: `api-key:${row.id}`, outcome: 'success' } as const;
      await this.audit.record({ actor: userId, ...event, value: key, ...origin });
    });
    return { ...toApiKey(row), key };
  }

  /** The user's keys, newest first. */
  async list(
    userId: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<ApiKey>> {
    const rows = await this.repository.list(userId, { belowId: decodeCursor(cursor), limit });
    const { items, nextCursor } = toPage(rows, limit, (row) => row.id);
    return { items: items.map(toApiKey), nextCursor };
  }

  /** The key is good for nothing any more, at once here and within a second on every other instance. */
  async delete({ userId, ...origin }: Caller, id: string): Promise<void> {
    const digest = await this.database.transaction(async () => {
      const deleted = await this.repository.delete(id, userId);
      if (!deleted) throw new ApiKeyNotFoundError();
      const event = { action: 'api-key.delete', target: `api-key:${id}`, outcome: 'success' } as const;
      await this.audit.record({ actor: userId, ...event, ...origin });
      return deleted;
    });
    this.#forget(digest);
  }

  /** Deletes all keys of the user in the surrounding transaction. They are good for nothing when it is committed. */
  async deleteAll(userId: string): Promise<void> {
    await this.forgetAll(userId);
    await this.repository.deleteAll(userId);
  }

  /** Looks the user's keys up anew at their next use, once the surrounding transaction is committed. */
  async forgetAll(userId: string): Promise<void> {
    const digests = await this.repository.listDigests(userId);
    this.database.afterCommit(() => digests.forEach((digest) => this.#forget(digest)));
  }

  #forget(digest: Uint8Array): void {
    this.#live.delete(Buffer.from(digest).toString('base64url'));
  }

  async #loadLive(digest: string): Promise<Principal | undefined> {
    const nowMs = this.clock.nowMs();
    const row = await this.repository.findLive(Buffer.from(digest, 'base64url'), nowMs);
    if (!row) return undefined;
    const unlessSinceMs = nowMs - LAST_USE_PRECISION_MS;
    if (row.last_used_at === null || row.last_used_at < unlessSinceMs) {
      await this.repository.touch(row.id, nowMs, unlessSinceMs);
    }
    const held = permissionsOf(row.roles.split(' ') as Role[]);
    const permissions = new Set(scopesOf(row.scopes).filter((scope) => held.has(scope) && scopes.has(scope)));
    return { userId: row.user_id, permissions };
  }
}

function known(principal: Principal | undefined): Principal {
  if (!principal) throw new UnauthenticatedError();
  return principal;
}

function scopesOf(text: string): Permission[] {
  return text.split(' ') as Permission[];
}

function toApiKey(row: ListedApiKey): ApiKey {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: scopesOf(row.scopes),
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
    lastUsedAt: row.last_used_at === null ? null : new Date(row.last_used_at),
  };
}
