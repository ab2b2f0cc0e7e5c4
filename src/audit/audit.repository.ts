import { Injectable } from '@nestjs/common';
import { type Insertable, type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type AuditEventRow = Selectable<Schema['audit_events']>;

interface Selection {
  readonly action: string | undefined;
  readonly belowSeq: number | undefined;
  readonly limit: number;
}

@Injectable()
export class AuditRepository {
  constructor(private readonly database: Database) {}

  /** The end of the log, locked until the surrounding transaction ends (SQLite has one writer at a time anyway). */
  async lockHead(): Promise<number> {
    const query = this.database.query.selectFrom('audit_head').select('seq').where('id', '=', 1);
    const { seq } = await (
      this.database.kind === 'postgres' ? query.forUpdate() : query
    ).executeTakeFirstOrThrow();
    return seq;
  }

  async append(rows: readonly Insertable<Schema['audit_events']>[], headSeq: number): Promise<void> {
    await this.database.query.insertInto('audit_events').values(rows).execute();
    await this.database.query.updateTable('audit_head').set({ seq: headSeq }).where('id', '=', 1).execute();
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

  #select(column: 'actor' | 'owner_id', userId: string, { action, belowSeq, limit }: Selection) {
    let query = this.database.query.selectFrom('audit_events').selectAll().where(column, '=', userId);
    if (action !== undefined) query = query.where('action', '=', action);
    if (belowSeq !== undefined) query = query.where('seq', '<', belowSeq);
    return query.orderBy('seq', 'desc').limit(limit + 1);
  }
}
