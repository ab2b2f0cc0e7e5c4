import { Injectable } from '@nestjs/common';
import { type MacKey } from '../crypto/mac-key.js';
import { Database } from '../database/database.js';
import { encodeEvent, encodeHead } from './audit-chain.js';
import { type DatedEvent } from './audit-event.js';
import { AuditKeys, valueDigest } from './audit-keys.js';
import { type AuditEventRow, type AuditHead, AuditRepository } from './audit.repository.js';
import { AuditBrokenError } from './errors.js';

const MAX_TEXT_LENGTH = 512;

/** Appends to the chain. */
@Injectable()
export class AuditWriter {
  /** Told the number of each latest event. */
  onAppended: (seq: number) => void = () => {};

  constructor(
    private readonly repository: AuditRepository,
    private readonly keys: AuditKeys,
    private readonly database: Database,
  ) {}

  /**
   * The end of the log, locked until the surrounding transaction ends.
   *
   * @throws {AuditBrokenError} when somebody else moved it: appending would hide what they did
   */
  async lockHead(): Promise<AuditHead> {
    const head = await this.repository.lockHead();
    if (!head || !(await this.isGenuine(head))) {
      throw new AuditBrokenError((head?.seq ?? 0) + 1, 'cannot follow: the end of the log was changed');
    }
    return head;
  }

  /** Whether this end of the log was written by who has the key. */
  async isGenuine({ seq, mac, key_id, head_mac }: AuditHead): Promise<boolean> {
    // A log without events has no key yet: one that has is a log that was emptied.
    if (key_id === null || head_mac === null) return seq === 0 && !(await this.keys.isAnyMade());
    const key = await this.keys.find(key_id);
    return key?.verify(encodeHead({ seq, mac, key_id }), head_mac) ?? false;
  }

  /** Call it in a transaction, last: until that ends, nobody else can append. */
  async append(events: readonly DatedEvent[]): Promise<void> {
    let { seq, mac } = await this.lockHead();
    const key = await this.keys.current();
    const rows = events.map((event) => {
      const row = toRow(event, ++seq, key);
      mac = key.mac(encodeEvent(mac, row));
      return { ...row, mac };
    });
    const key_id = key.id;
    this.database.afterCommit(() => this.onAppended(seq));
    await this.repository.append(rows, {
      seq,
      mac,
      key_id,
      head_mac: key.mac(encodeHead({ seq, mac, key_id })),
    });
  }
}

function toRow(event: DatedEvent, seq: number, key: MacKey): Omit<AuditEventRow, 'mac'> {
  return {
    seq,
    at: event.atMs,
    actor: event.actor,
    owner_id: event.ownerId === event.actor ? null : (event.ownerId ?? null),
    action: event.action,
    target: event.target === undefined ? null : storable(event.target),
    outcome: event.outcome,
    ip: event.ip ?? null,
    request_id: event.requestId ?? null,
    value_digest: event.value === undefined ? null : valueDigest(key, event.value),
    key_id: key.id,
  };
}

/** Text that both databases give back as it is: PostgreSQL takes no NUL, and neither a lone surrogate. */
function storable(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH).toWellFormed().replaceAll('\0', '\uFFFD');
}
