import { Injectable } from '@nestjs/common';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { futureTime } from '../common/future-time.js';
import { uuidv7 } from '../common/id.js';
import { applyMergePatch, type MergePatch } from '../common/merge-patch.js';
import { holds, type Precondition, PreconditionFailedError } from '../common/precondition.js';
import { parseStringRecord, type StringRecord } from '../common/string-record.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { SecretGoneError, SecretNotFoundError, SecretStateError } from './errors.js';
import { SecretAudit } from './secret-audit.js';
import { requireCondition } from './secret-precondition.js';
import { SecretReader } from './secret-reader.js';
import { SecretShredder } from './secret-shredder.js';
import { numbersOf, SecretVersionsRepository } from './secret-versions.repository.js';
import { encryptionContext, type NewSecretVersion, type WrittenSecret } from './secret.js';
import { MAX_KEPT_VERSIONS, serialise } from './secret-limits.js';
import { type SecretRow, SecretsRepository } from './secrets.repository.js';

interface NextVersion {
  readonly data: StringRecord;
  readonly expiresAtMs: number | null;
  readonly metadata?: StringRecord | undefined;
  readonly casRequired?: boolean | undefined;
}

/** Writes versions. Each is encrypted under a data key of its own. */
@Injectable()
export class SecretWriter {
  constructor(
    private readonly secrets: SecretsRepository,
    private readonly versions: SecretVersionsRepository,
    private readonly reader: SecretReader,
    private readonly shredder: SecretShredder,
    private readonly audit: SecretAudit,
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
    caller: Caller,
    name: string,
    { data, metadata, casRequired, expiresAt }: NewSecretVersion,
    precondition: Precondition,
  ): Promise<WrittenSecret> {
    const expiresAtMs = expiresAt ? futureTime(expiresAt, this.clock.nowMs()) : null;
    return this.database.transaction(async () => {
      const secret = await this.#findOrCreate(caller.userId, name, precondition);
      requireCondition(precondition, secret, metadata ? 'metadata' : 'data');
      return this.#append(caller, secret, { data, expiresAtMs, metadata, casRequired });
    });
  }

  /**
   * Writes the latest version anew with some members changed. It expires when that one would have.
   *
   * @throws {ValidationError} when the outcome is no string record
   * @throws {SecretTooLargeError}
   * @throws {SecretNotFoundError}
   * @throws {SecretGoneError} when the latest version can't be read
   * @throws {PreconditionFailedError}
   * @throws {PreconditionRequiredError}
   */
  async patch(
    caller: Caller,
    name: string,
    patch: MergePatch,
    precondition: Precondition,
  ): Promise<WrittenSecret> {
    return this.database.transaction(async () => {
      const secret = await this.#findForUpdate(caller.userId, name);
      requireCondition(precondition, secret, 'data');
      const latest = await this.reader.read(caller.userId, name, undefined);
      const data = applyMergePatch(latest.data, patch);
      return this.#append(caller, secret, { data, expiresAtMs: latest.expiresAt?.getTime() ?? null });
    });
  }

  /**
   * Writes an earlier version anew, as the next one. It expires when that one would have.
   *
   * @throws {SecretNotFoundError}
   * @throws {SecretStateError} when that version can't be read
   * @throws {PreconditionFailedError}
   * @throws {PreconditionRequiredError}
   */
  async rollback(
    caller: Caller,
    name: string,
    version: number,
    precondition: Precondition,
  ): Promise<WrittenSecret> {
    return this.database.transaction(async () => {
      const secret = await this.#findForUpdate(caller.userId, name);
      requireCondition(precondition, secret, 'data');
      const earlier = await this.reader.read(caller.userId, name, version).catch((error: unknown) => {
        throw error instanceof SecretGoneError ? new SecretStateError(version, error.state) : error;
      });
      return this.#append(caller, secret, {
        data: earlier.data,
        expiresAtMs: earlier.expiresAt?.getTime() ?? null,
      });
    });
  }

  async #append(
    caller: Caller,
    secret: SecretRow,
    { data, expiresAtMs, metadata, casRequired }: NextVersion,
  ): Promise<WrittenSecret> {
    const nowMs = this.clock.nowMs();
    const { id, owner_id: ownerId, name } = secret;
    const version = secret.latest_version + 1;
    const ciphertext = await this.crypto.encrypt(
      Buffer.from(serialise(data), 'utf8'),
      encryptionContext(ownerId, id, version),
    );
    await this.versions.insert({
      secret_id: id,
      version,
      key_id: keyIdOf(ciphertext),
      ciphertext,
      created_at: nowMs,
      expires_at: expiresAtMs,
      deleted_at: null,
      destroyed_at: null,
    });
    const changes = {
      latest_version: version,
      metadata: metadata ? JSON.stringify(metadata) : secret.metadata,
      metadata_revision: 0,
      cas_required: casRequired === undefined ? secret.cas_required : Number(casRequired),
      updated_at: nowMs,
    };
    await this.secrets.update(id, changes);
    await this.audit.record(caller, 'secret.write', name, [version]);
    if (version > MAX_KEPT_VERSIONS) {
      const oldest = await this.versions.findKeyedUpTo(id, version - MAX_KEPT_VERSIONS);
      await this.shredder.shred(oldest, nowMs);
      await this.audit.record(caller, 'secret.destroy', name, numbersOf(oldest));
    }
    return {
      name,
      version,
      revision: 0,
      state: 'active',
      createdAt: new Date(nowMs),
      expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs),
      metadata: parseStringRecord(changes.metadata),
    };
  }

  async #findForUpdate(ownerId: string, name: string): Promise<SecretRow> {
    const secret = await this.secrets.findForUpdate(ownerId, name);
    if (!secret) throw new SecretNotFoundError();
    return secret;
  }

  /** The locked row of the secret; a new one has version 0 until its first version is written. */
  async #findOrCreate(ownerId: string, name: string, precondition: Precondition): Promise<SecretRow> {
    const existing = await this.secrets.findForUpdate(ownerId, name);
    if (existing) return existing;
    if (!holds(precondition, undefined)) throw new PreconditionFailedError();
    const nowMs = this.clock.nowMs();
    const row: SecretRow = {
      id: uuidv7(nowMs),
      owner_id: ownerId,
      name,
      metadata: '{}',
      metadata_revision: 0,
      cas_required: 0,
      latest_version: 0,
      created_at: nowMs,
      updated_at: nowMs,
    };
    if (await this.secrets.insert(row)) return row;
    // Somebody else made it between the two statements: it is committed by now, or the insert had waited.
    return this.#findForUpdate(ownerId, name);
  }
}
