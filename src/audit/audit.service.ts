import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { decodeCursor, type Page, toPage } from '../common/pagination.js';
import { Database } from '../database/database.js';
import { type AuditAction } from './audit-actions.js';
import { type AuditEvent, type NewAuditEvent } from './audit-event.js';
import { type AuditEventRow, AuditRepository } from './audit.repository.js';
import { AuditUnavailableError } from './errors.js';
import { GroupedWriter } from './grouped-writer.js';

interface DatedEvent extends NewAuditEvent {
  readonly atMs: number;
}

/** The audit log, and its only writer. */
@Injectable()
export class AuditService {
  readonly #group = new GroupedWriter<DatedEvent>((events) =>
    this.database.transaction(() => this.#append(events)),
  );

  constructor(
    private readonly repository: AuditRepository,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

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
    this.database.beforeCommit(() => this.#append([dated]));
  }

  /** What the user did and what concerns them, newest first. */
  async list(
    userId: string,
    { action, cursor, limit }: { action?: AuditAction; cursor?: string; limit: number },
  ): Promise<Page<AuditEvent>> {
    const key = decodeCursor(cursor);
    const belowSeq = key === undefined ? undefined : Number.parseInt(key, 10) || 0;
    const rows = await this.repository.list(userId, { action, belowSeq, limit });
    const { items, nextCursor } = toPage(rows, limit, ({ seq }) => String(seq));
    return { items: items.map(toEvent), nextCursor };
  }

  async #append(events: readonly DatedEvent[]): Promise<void> {
    try {
      const headSeq = await this.repository.lockHead();
      const rows = events.map((event, index) => toRow(event, headSeq + index + 1));
      await this.repository.append(rows, headSeq + rows.length);
    } catch (error) {
      throw new AuditUnavailableError(error);
    }
  }
}

function toRow(event: DatedEvent, seq: number): AuditEventRow {
  return {
    seq,
    at: event.atMs,
    actor: event.actor,
    owner_id: event.ownerId === event.actor ? null : (event.ownerId ?? null),
    action: event.action,
    target: event.target ?? null,
    outcome: event.outcome,
    ip: event.ip ?? null,
    request_id: event.requestId ?? null,
  };
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
