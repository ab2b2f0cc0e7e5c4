import { Injectable } from '@nestjs/common';
import { ValidationError } from '../common/app-error.js';
import { Clock } from '../common/clock.js';
import { uuidv7 } from '../common/id.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import {
  holds,
  type Precondition,
  PreconditionFailedError,
  PreconditionRequiredError,
} from '../common/precondition.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { SecretGoneError, SecretNotFoundError } from './errors.js';
import {
  encryptionContext,
  type NewSecretVersion,
  parseRecord,
  type Secret,
  type SecretSummary,
  type SecretVersion,
  toSummary,
  toVersion,
  type WrittenSecret,
} from './secret.js';
import { type SecretRow, SecretsRepository } from './secrets.repository.js';

/** Secrets of one owner, by name. Each version is encrypted under a data key of its own. */
@Injectable()
export class SecretsService {
  constructor(
    private readonly repository: SecretsRepository,
    private readonly crypto: CryptoService,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Writes the next version; the first one makes the secret. Of callers racing on one `If-Match`
   * exactly one succeeds.
   *
   * @throws {ValidationError} when it would have expired already
   * @throws {PreconditionFailedError}
   * @throws {PreconditionRequiredError} when the secret demands compare-and-set and no condition is given
   */
  async put(
    ownerId: string,
    name: string,
    secret: NewSecretVersion,
    precondition: Precondition,
  ): Promise<WrittenSecret> {
    if (secret.expiresAt && secret.expiresAt.getTime() <= this.clock.nowMs()) {
      throw new ValidationError([{ pointer: '/expiresAt', detail: 'must be in the future' }]);
    }
    return this.database.transaction(async () => {
      const nowMs = this.clock.nowMs();
      const existing = await this.#findOrCreate(ownerId, name, secret, precondition, nowMs);
      const isConditional = precondition.ifMatch !== undefined || precondition.ifNoneMatch !== undefined;
      if (!holds(precondition, existing.latest_version || undefined)) throw new PreconditionFailedError();
      if (existing.latest_version > 0 && existing.cas_required === 1 && !isConditional) {
        throw new PreconditionRequiredError();
      }
      const version = existing.latest_version + 1;
      const metadata = secret.metadata ? JSON.stringify(secret.metadata) : existing.metadata;
      const ciphertext = await this.crypto.encrypt(
        Buffer.from(JSON.stringify(secret.data), 'utf8'),
        encryptionContext(ownerId, existing.id, version),
      );
      await this.repository.insertVersion({
        secret_id: existing.id,
        version,
        key_id: keyIdOf(ciphertext),
        ciphertext,
        created_at: nowMs,
        expires_at: secret.expiresAt?.getTime() ?? null,
        deleted_at: null,
      });
      await this.repository.update(existing.id, {
        latest_version: version,
        metadata,
        cas_required: secret.casRequired === undefined ? existing.cas_required : Number(secret.casRequired),
        updated_at: nowMs,
      });
      return {
        name,
        version,
        state: 'active',
        createdAt: new Date(nowMs),
        expiresAt: secret.expiresAt ?? null,
        metadata: parseRecord(metadata),
      };
    });
  }

  /**
   * @param version - the latest when absent
   * @throws {SecretNotFoundError}
   * @throws {SecretGoneError} when the version is deleted or has expired
   */
  async get(ownerId: string, name: string, version: number | undefined): Promise<Secret> {
    const nowMs = this.clock.nowMs();
    const row = await this.repository.findVersion(ownerId, name, version, nowMs);
    if (!row) throw new SecretNotFoundError();
    const facts = toVersion(row, nowMs);
    if (facts.state !== 'active') throw new SecretGoneError(facts.state);
    if (!row.ciphertext) throw new SecretGoneError('expired');
    const plaintext = await this.crypto.decrypt(
      row.ciphertext,
      encryptionContext(ownerId, row.secret_id, row.version),
    );
    const data = parseRecord(plaintext.toString('utf8'));
    return { ...facts, name: row.name, metadata: parseRecord(row.metadata), data };
  }

  /** By name; never with the data. */
  async list(
    ownerId: string,
    { prefix, cursor, limit }: { readonly prefix: string; readonly cursor?: string; readonly limit: number },
  ): Promise<Page<SecretSummary>> {
    const rows = await this.repository.list(ownerId, { prefix, afterName: decodeCursor(cursor), limit });
    const { items, nextCursor } = toPage(rows, limit, (row) => row.name);
    const nowMs = this.clock.nowMs();
    return { items: items.map((row) => toSummary(row, nowMs)), nextCursor };
  }

  /**
   * Newest first.
   *
   * @throws {SecretNotFoundError}
   */
  async listVersions(
    ownerId: string,
    name: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<SecretVersion>> {
    const secret = await this.repository.find(ownerId, name);
    if (!secret) throw new SecretNotFoundError();
    const key = decodeCursor(cursor);
    const belowVersion = key === undefined ? undefined : Number.parseInt(key, 10) || 0;
    const rows = await this.repository.listVersions(secret.id, { belowVersion, limit });
    const { items, nextCursor } = toPage(rows, limit, (row) => String(row.version));
    const nowMs = this.clock.nowMs();
    return { items: items.map((row) => toVersion(row, nowMs)), nextCursor };
  }

  /**
   * Soft delete: the versions can't be read any more, and stay.
   *
   * @param versions - the latest when absent
   * @throws {SecretNotFoundError} when the secret or one of the versions isn't there; nothing is deleted then
   * @throws {PreconditionFailedError}
   */
  async delete(
    ownerId: string,
    name: string,
    versions: readonly number[] | undefined,
    precondition: Precondition,
  ): Promise<void> {
    await this.database.transaction(async () => {
      const secret = await this.repository.findForUpdate(ownerId, name);
      if (!secret) throw new SecretNotFoundError();
      if (!holds(precondition, secret.latest_version)) throw new PreconditionFailedError();
      const chosen = versions ?? [secret.latest_version];
      const count = await this.repository.countVersions(secret.id, chosen);
      if (count !== new Set(chosen).size) throw new SecretNotFoundError();
      await this.repository.softDelete(secret.id, chosen, this.clock.nowMs());
    });
  }

  /** The locked row of the secret; a new one has version 0 until its first version is written. */
  async #findOrCreate(
    ownerId: string,
    name: string,
    { casRequired = false }: NewSecretVersion,
    precondition: Precondition,
    nowMs: number,
  ): Promise<SecretRow> {
    const existing = await this.repository.findForUpdate(ownerId, name);
    if (existing) return existing;
    if (!holds(precondition, undefined)) throw new PreconditionFailedError();
    const row: SecretRow = {
      id: uuidv7(nowMs),
      owner_id: ownerId,
      name,
      metadata: '{}',
      cas_required: Number(casRequired),
      latest_version: 0,
      created_at: nowMs,
      updated_at: nowMs,
    };
    if (await this.repository.insert(row)) return row;
    // Somebody else made it between the two statements: it is committed by now, or the insert had waited.
    const theirs = await this.repository.findForUpdate(ownerId, name);
    if (!theirs) throw new Error('a secret was neither inserted nor found');
    return theirs;
  }
}
