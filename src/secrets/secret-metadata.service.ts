import { Injectable } from '@nestjs/common';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { applyMergePatch, type MergePatch } from '../common/merge-patch.js';
import { type Precondition } from '../common/precondition.js';
import { parseStringRecord, type StringRecord } from '../common/string-record.js';
import { Database } from '../database/database.js';
import { SecretNotFoundError } from './errors.js';
import { SecretAudit } from './secret-audit.js';
import { serialise } from './secret-limits.js';
import { requireCondition } from './secret-precondition.js';
import { SecretsRepository } from './secrets.repository.js';

export interface SecretMetadata {
  readonly name: string;
  readonly version: number;
  /** Changes of the metadata since that version was written. */
  readonly revision: number;
  readonly metadata: StringRecord;
  readonly updatedAt: Date;
}

/** Changes what is noted beside a secret. It makes no version, and counts in the entity tag all the same. */
@Injectable()
export class SecretMetadataService {
  constructor(
    private readonly secrets: SecretsRepository,
    private readonly audit: SecretAudit,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Of callers racing on one `If-Match` exactly one succeeds.
   *
   * @throws {ValidationError} when the outcome is no string record
   * @throws {SecretTooLargeError}
   * @throws {SecretNotFoundError}
   * @throws {PreconditionFailedError}
   * @throws {PreconditionRequiredError}
   */
  async patch(
    caller: Caller,
    name: string,
    patch: MergePatch,
    precondition: Precondition,
  ): Promise<SecretMetadata> {
    return this.database.transaction(async () => {
      const secret = await this.secrets.findForUpdate(caller.userId, name);
      if (!secret) throw new SecretNotFoundError();
      requireCondition(precondition, secret, 'metadata');
      const metadata = applyMergePatch(parseStringRecord(secret.metadata), patch);
      const nowMs = this.clock.nowMs();
      const revision = secret.metadata_revision + 1;
      await this.secrets.update(secret.id, {
        metadata: serialise(metadata),
        metadata_revision: revision,
        updated_at: nowMs,
      });
      await this.audit.record(caller, 'secret.metadata', name, [secret.latest_version]);
      return { name, version: secret.latest_version, revision, metadata, updatedAt: new Date(nowMs) };
    });
  }
}
