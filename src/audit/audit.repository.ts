import { Injectable } from '@nestjs/common';
import { type ExpressionBuilder, type Kysely, type Selectable, sql } from 'kysely';
import { Database } from '../database/database.js';
import { orZero } from '../database/or-zero.js';
import { type Schema } from '../database/schema.js';

export type AuditEventRow = Selectable<Schema['audit_events']>;
export type AuditHead = Omit<Selectable<Schema['audit_head']>, 'id'>;

interface Selection {
  readonly action: string | undefined;
  readonly belowSeq: number | undefined;
  readonly limit: number;
}

@Injectable()
export class AuditRepository {
  readonly #lockHead;
  readonly #findHead;
  readonly #setHead;
  readonly #insertTogether;

  constructor(private readonly database: Database) {
    const isPostgres = database.kind === 'postgres';
    this.#findHead = database.prepare((query) => selectHead(query));
    this.#lockHead = database.prepare((query) =>
      isPostgres ? selectHead(query).forUpdate() : selectHead(query),
    );
    this.#setHead = database.prepare(
      (query, seq: number, mac: Uint8Array, key_id: string | null, head_mac: Uint8Array | null) =>
        query.updateTable('audit_head').set({ seq, mac, key_id, head_mac }).where('id', '=', 1),
    );
    this.#insertTogether = database.prepare((query, json: string) => ({
      compile: () => insertFromJson(json).compile(query),
    }));
  }

  /** The end of the log, locked until the surrounding transaction ends (SQLite has one writer at a time anyway). */
  async lockHead(): Promise<AuditHead | undefined> {
    const [head] = await this.#lockHead();
    return head;
  }

  async findHead(): Promise<AuditHead | undefined> {
    const [head] = await this.#findHead();
    return head;
  }

  async append(rows: readonly AuditEventRow[], head: AuditHead): Promise<void> {
    if (this.database.kind === 'postgres') await this.#insertTogether(JSON.stringify(rows.map(toJson)));
    // A row by itself costs SQLite a third of what it takes to find it in a list.
    else for (const row of rows) await this.database.insert('audit_events', row);
    await this.#setHead(head.seq, head.mac, head.key_id, head.head_mac);
  }

  /** What a user did and what concerns them, newest first; one row more than `limit` tells that there is more. */
  async list(userId: string, selection: Selection): Promise<AuditEventRow[]> {
    // Each half walks its own index and stops at the limit; an OR would sort everything.
    const rows = await Promise.all([
      this.#select('actor', userId, selection).execute(),
      this.#select('owner_id', userId, selection).execute(),
    ]);
    return rows
      .flat()
      .toSorted((one, other) => other.seq - one.seq)
      .slice(0, selection.limit + 1);
  }

  /** A page of the whole log, oldest first, up to and with `lastSeq`. */
  async page(afterSeq: number, lastSeq: number, limit: number): Promise<AuditEventRow[]> {
    return this.database.query
      .selectFrom('audit_events')
      .selectAll()
      .where('seq', '>', afterSeq)
      .where('seq', '<=', lastSeq)
      .where(isReadable)
      .orderBy('seq')
      .limit(limit)
      .execute();
  }

  /** The number of an event that stands before the first one. */
  async findBelowFirst(): Promise<number | undefined> {
    const row = await this.database.query
      .selectFrom('audit_events')
      .select(orZero('seq').as('seq'))
      .where('seq', '<', 1)
      .limit(1)
      .executeTakeFirst();
    return row?.seq;
  }

  /** Whether there is an event above this number. */
  async hasAbove(seq: number): Promise<boolean> {
    const row = await this.database.query
      .selectFrom('audit_events')
      .select('key_id')
      .where('seq', '>', seq)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async findMac(seq: number): Promise<Uint8Array | undefined> {
    const row = await this.database.query
      .selectFrom('audit_events')
      .select('mac')
      .where('seq', '=', seq)
      .executeTakeFirst();
    return row?.mac;
  }

  /** The events with one of these digests of a value, oldest first. */
  async findByValue(digests: readonly Uint8Array[], limit: number): Promise<AuditEventRow[]> {
    return this.database.query
      .selectFrom('audit_events')
      .selectAll()
      .where('value_digest', 'in', digests)
      .where(isReadable)
      .orderBy('seq')
      .limit(limit)
      .execute();
  }

  #select(column: 'actor' | 'owner_id', userId: string, { action, belowSeq, limit }: Selection) {
    let query = this.database.query
      .selectFrom('audit_events')
      .selectAll()
      .where(column, '=', userId)
      .where(isReadable);
    if (action !== undefined) query = query.where('action', '=', action);
    if (belowSeq !== undefined) query = query.where('seq', '<', belowSeq);
    return query.orderBy('seq', 'desc').limit(limit + 1);
  }
}

/** What no number of ours can hold was written by somebody else, and shows as a gap. */
function isReadable(event: ExpressionBuilder<Schema, 'audit_events'>) {
  return event.and([
    event('seq', '<=', Number.MAX_SAFE_INTEGER),
    event('at', '>=', 0),
    event('at', '<=', Number.MAX_SAFE_INTEGER),
  ]);
}

function selectHead(query: Kysely<Schema>) {
  return query
    .selectFrom('audit_head')
    .select([orZero('seq').as('seq'), 'mac', 'key_id', 'head_mac'])
    .where('id', '=', 1);
}

function toJson(row: AuditEventRow): unknown[] {
  const { seq, at, actor, owner_id, action, target, outcome, ip, request_id, value_digest, key_id, mac } =
    row;
  const texts = [actor, owner_id, action, target, outcome, ip, request_id];
  return [seq, at, ...texts, value_digest && hex(value_digest), key_id, hex(mac)];
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * However many events there are, one round trip and one statement of one text: it is compiled once, where a list of
 * values is another statement for each number of rows. Bytes go in as hexadecimal text.
 */
function insertFromJson(json: string) {
  return sql`
    insert into audit_events (
      seq, at, actor, owner_id, action, target, outcome, ip, request_id, value_digest, key_id, mac
    )
    select (e ->> 0)::bigint, (e ->> 1)::bigint, e ->> 2, e ->> 3, e ->> 4, e ->> 5, e ->> 6, e ->> 7, e ->> 8,
      decode(e ->> 9, 'hex'), e ->> 10, decode(e ->> 11, 'hex')
    from json_array_elements(${json}::json) as e
  `;
}
