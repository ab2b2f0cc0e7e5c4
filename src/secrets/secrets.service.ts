import { Injectable } from '@nestjs/common';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { type Precondition, requireVersion } from '../common/precondition.js';
import { SecretAudit } from './secret-audit.js';
import { SecretReader } from './secret-reader.js';
import { type Secret, type SecretSummary, toSummary } from './secret.js';
import { SecretsRepository } from './secrets.repository.js';

/** Secrets of one owner, by name. */
@Injectable()
export class SecretsService {
  constructor(
    private readonly repository: SecretsRepository,
    private readonly reader: SecretReader,
    private readonly audit: SecretAudit,
    private readonly clock: Clock,
  ) {}

  /**
   * That it was read is on the disk before the data is given out.
   *
   * @param version - the latest when absent
   * @throws {SecretNotFoundError}
   * @throws {SecretGoneError} when the version is deleted or destroyed or has expired
   * @throws {PreconditionFailedError} when `If-Match` is given and doesn't hold
   * @throws {AuditUnavailableError}
   */
  async get(
    caller: Caller,
    name: string,
    version: number | undefined,
    precondition: Precondition,
  ): Promise<Secret> {
    const secret = await this.reader.read(caller.userId, name, version);
    requireVersion(precondition, secret.version, secret.revision);
    await this.audit.record(caller, 'secret.read', name, [secret.version]);
    return secret;
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
}
