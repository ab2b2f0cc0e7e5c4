import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { parseStringRecord } from '../common/string-record.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { SecretGoneError, SecretNotFoundError } from './errors.js';
import { type ReadableVersion, SecretVersionsRepository } from './secret-versions.repository.js';
import { encryptionContext, type Secret, toVersion } from './secret.js';

/** Finds and decrypts one version. Who may have it, and what is noted of that, is for the caller. */
@Injectable()
export class SecretReader {
  constructor(
    private readonly versions: SecretVersionsRepository,
    private readonly crypto: CryptoService,
    private readonly clock: Clock,
  ) {}

  /**
   * @param version - the latest when absent
   * @throws {SecretNotFoundError}
   * @throws {SecretGoneError} when the version is deleted or destroyed or has expired
   */
  async read(ownerId: string, name: string, version: number | undefined): Promise<Secret> {
    const nowMs = this.clock.nowMs();
    const row = await this.versions.findReadable(ownerId, name, version, nowMs);
    if (!row) throw new SecretNotFoundError();
    return this.decrypt(ownerId, row, nowMs);
  }

  /**
   * What was found at `nowMs`.
   *
   * @throws {SecretGoneError} when the version is deleted or destroyed or has expired
   */
  async decrypt(ownerId: string, row: ReadableVersion, nowMs: number): Promise<Secret> {
    const facts = toVersion(row, nowMs);
    if (facts.state !== 'active') throw new SecretGoneError(facts.state);
    // On PostgreSQL the clock of the statement is this one too, so nothing else can hide the ciphertext.
    if (!row.ciphertext) throw new SecretGoneError('expired');
    const plaintext = await this.crypto.decrypt(
      row.ciphertext,
      encryptionContext(ownerId, row.secret_id, row.version),
    );
    return {
      ...facts,
      name: row.name,
      revision: row.version === row.latest_version ? row.metadata_revision : 0,
      metadata: parseStringRecord(row.metadata),
      data: parseStringRecord(plaintext.toString('utf8')),
    };
  }
}
