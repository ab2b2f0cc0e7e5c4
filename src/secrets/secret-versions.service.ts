import { Injectable } from '@nestjs/common';
import { type Caller } from '../common/caller.js';
import { Clock } from '../common/clock.js';
import { decodeNumberCursor, type Page, toPage } from '../common/pagination.js';
import { holds, type Precondition, PreconditionFailedError } from '../common/precondition.js';
import { Database } from '../database/database.js';
import { SecretNotFoundError, SecretStateError } from './errors.js';
import { type SecretAction, SecretAudit } from './secret-audit.js';
import { SecretShredder } from './secret-shredder.js';
import {
  type KeyedVersion,
  numbersOf,
  SecretVersionsRepository,
  type VersionFacts,
} from './secret-versions.repository.js';
import { MAX_VERSION, type SecretState, type SecretVersion, stateOf, toVersion } from './secret.js';
import { type SecretRow, SecretsRepository } from './secrets.repository.js';

type LockedVersion = VersionFacts & KeyedVersion;

/** The versions of a secret and the states they go through. Of several versions all change, or none. */
@Injectable()
export class SecretVersionsService {
  constructor(
    private readonly secrets: SecretsRepository,
    private readonly versions: SecretVersionsRepository,
    private readonly shredder: SecretShredder,
    private readonly audit: SecretAudit,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Newest first.
   *
   * @throws {SecretNotFoundError}
   */
  async list(
    ownerId: string,
    name: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<SecretVersion>> {
    const secret = await this.secrets.find(ownerId, name);
    if (!secret) throw new SecretNotFoundError();
    const belowVersion = decodeNumberCursor(cursor, MAX_VERSION);
    const rows = await this.versions.list(secret.id, { belowVersion, limit });
    const { items, nextCursor } = toPage(rows, limit, (row) => String(row.version));
    const nowMs = this.clock.nowMs();
    return { items: items.map((row) => toVersion(row, nowMs)), nextCursor };
  }

  /**
   * Soft delete: the versions can't be read any more, and stay. Those that can't be read anyway stay as they are.
   *
   * @param versions - the latest when absent
   * @throws {SecretNotFoundError} when the secret or one of the versions isn't there
   * @throws {PreconditionFailedError}
   */
  async delete(
    caller: Caller,
    name: string,
    versions: readonly number[] | undefined,
    precondition: Precondition,
  ): Promise<void> {
    await this.#change(caller, 'secret.delete', name, versions, precondition, async ({ id }, rows, nowMs) => {
      const active = rows.filter((row) => stateOf(row, nowMs) === 'active');
      await this.versions.mark(id, numbersOf(active), nowMs);
    });
  }

  /**
   * Makes deleted versions readable again, unless their time is over.
   *
   * @throws {SecretNotFoundError}
   * @throws {SecretStateError} when one of them is not deleted
   * @throws {PreconditionFailedError}
   */
  async undelete(
    caller: Caller,
    name: string,
    versions: readonly number[],
    precondition: Precondition,
  ): Promise<SecretVersion[]> {
    return this.#change(
      caller,
      'secret.undelete',
      name,
      versions,
      precondition,
      async ({ id }, rows, nowMs) => {
        requireState(rows, nowMs, (state) => state === 'deleted');
        await this.versions.mark(id, numbersOf(rows), null);
      },
    );
  }

  /**
   * Destroys the data keys of versions, in whatever other state they are. Nothing brings them back.
   *
   * @throws {SecretNotFoundError}
   * @throws {SecretStateError} when one of them is destroyed already
   * @throws {PreconditionFailedError}
   */
  async destroy(
    caller: Caller,
    name: string,
    versions: readonly number[],
    precondition: Precondition,
  ): Promise<SecretVersion[]> {
    return this.#change(
      caller,
      'secret.destroy',
      name,
      versions,
      precondition,
      async (_secret, rows, nowMs) => {
        requireState(rows, nowMs, (state) => state !== 'destroyed');
        await this.shredder.shred(rows, nowMs);
      },
    );
  }

  async #change(
    caller: Caller,
    action: SecretAction,
    name: string,
    versions: readonly number[] | undefined,
    precondition: Precondition,
    change: (secret: SecretRow, rows: readonly LockedVersion[], nowMs: number) => Promise<void>,
  ): Promise<SecretVersion[]> {
    return this.database.transaction(async () => {
      const secret = await this.secrets.findForUpdate(caller.userId, name);
      if (!secret) throw new SecretNotFoundError();
      if (!holds(precondition, secret.latest_version, 'any')) throw new PreconditionFailedError();
      const chosen = [...new Set(versions ?? [secret.latest_version])];
      const rows = await this.versions.findForUpdate(secret.id, chosen);
      if (rows.length < chosen.length) throw new SecretNotFoundError();
      const nowMs = this.clock.nowMs();
      await change(secret, rows, nowMs);
      await this.audit.record(caller, action, name, chosen);
      const changed = await this.versions.findForUpdate(secret.id, chosen);
      return changed.map((row) => toVersion(row, nowMs));
    });
  }
}

/** @throws {SecretStateError} naming the first version that is in another state */
function requireState(
  rows: readonly LockedVersion[],
  nowMs: number,
  isRight: (state: SecretState) => boolean,
): void {
  const wrong = rows.find((row) => !isRight(stateOf(row, nowMs)));
  if (wrong) throw new SecretStateError(wrong.version, stateOf(wrong, nowMs));
}
