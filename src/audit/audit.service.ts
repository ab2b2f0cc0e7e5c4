import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { decodeNumberCursor, type Page, toPage } from '../common/pagination.js';
import { type Permission } from '../common/permissions.js';
import { type RequestOrigin } from '../common/request-origin.js';
import { Database } from '../database/database.js';
import { type AuditAction } from './audit-actions.js';
import { type AuditEvent, type DatedEvent, type NewAuditEvent } from './audit-event.js';
import { AuditKeys } from './audit-keys.js';
import { AuditWriter } from './audit-writer.js';
import { type AuditEventRow, AuditRepository } from './audit.repository.js';
import { AuditUnavailableError } from './errors.js';
import { GroupedWriter } from './grouped-writer.js';

const PAGE = 1_000;

/** With the MAC in base64url, which a signed checkpoint repeats. */
export type ExportedEvent = AuditEvent & { readonly mac: string };

/** The audit log, and its only writer. */
@Injectable()
export class AuditService {
  readonly #group = new GroupedWriter<DatedEvent>((events) =>
    orUnavailable(() => this.database.transaction(() => this.writer.append(events))),
  );
  readonly #append = (events: readonly DatedEvent[]) => orUnavailable(() => this.writer.append(events));

  constructor(
    private readonly repository: AuditRepository,
    private readonly writer: AuditWriter,
    private readonly keys: AuditKeys,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    // Who needs a key that can't be read is told of it then; a transaction that records nothing needs none.
    database.beforeTransactions(() => this.keys.readAhead().catch(() => {}));
  }

  /**
   * Records an event. Inside a transaction it commits with it or not at all: a log that can't be written undoes
   * the transaction. Outside of one it is on the disk when this resolves, so what the event tells of may be
   * revealed then, and not before; events of concurrent requests share one commit.
   *
   * @throws {AuditUnavailableError} when the log can't be written; inside a transaction the commit throws it
   */
  async record(event: NewAuditEvent): Promise<void> {
    const dated: DatedEvent = { ...event, atMs: this.clock.nowMs() };
    if (!this.database.isInTransaction) return this.#group.add(dated);
    this.database.beforeCommit(this.#append, dated);
  }

  /** Records that a permission was wanted which the actor lacks, or that no route says which; see `record`. */
  async recordDenial(
    actor: string,
    permission: Permission | 'none',
    { ip, requestId }: RequestOrigin,
  ): Promise<void> {
    const target = `permission:${permission}`;
    await this.record({ actor, action: 'access.denied', target, outcome: 'failure', ip, requestId });
  }

  /** What the user did and what concerns them, newest first. */
  async list(
    userId: string,
    { action, cursor, limit }: { action?: AuditAction; cursor?: string; limit: number },
  ): Promise<Page<AuditEvent>> {
    const belowSeq = decodeNumberCursor(cursor, Number.MAX_SAFE_INTEGER);
    const rows = await this.repository.list(userId, { action, belowSeq, limit });
    const { items, nextCursor } = toPage(rows, limit, ({ seq }) => String(seq));
    return { items: items.map(toEvent), nextCursor };
  }

  /** The first thousand events that were about this e-mail address or token, which the log doesn't hold. */
  async findByValue(value: string): Promise<AuditEvent[]> {
    const digests = await this.keys.digests(value);
    const rows = digests.length === 0 ? [] : await this.repository.findByValue(digests, PAGE);
    return rows.map(toEvent);
  }

  /** Every event after `afterSeq` that was there at the beginning, oldest first, in pages. */
  async *export(afterSeq: number): AsyncGenerator<readonly ExportedEvent[]> {
    const last = (await this.repository.findHead())?.seq ?? 0;
    let after = afterSeq;
    for (;;) {
      const rows = await this.repository.page(after, last, PAGE);
      if (rows.length === 0) return;
      yield rows.map((row) => ({ ...toEvent(row), mac: Buffer.from(row.mac).toString('base64url') }));
      after = rows.at(-1)?.seq ?? after;
    }
  }
}

async function orUnavailable(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new AuditUnavailableError(error);
  }
}

function toEvent(row: AuditEventRow): AuditEvent {
  return {
    seq: row.seq,
    at: new Date(row.at),
    actor: row.actor,
    action: row.action as AuditAction,
    outcome: row.outcome,
    ...(row.owner_id === null ? {} : { ownerId: row.owner_id }),
    ...(row.target === null ? {} : { target: row.target }),
    ...(row.ip === null ? {} : { ip: row.ip }),
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
  };
}
