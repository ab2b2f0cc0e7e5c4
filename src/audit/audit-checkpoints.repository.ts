import { Injectable } from '@nestjs/common';
import { type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { orZero } from '../database/or-zero.js';
import { type Schema } from '../database/schema.js';

export type AuditCheckpointRow = Selectable<Schema['audit_checkpoints']>;

/** A number that only somebody else can have written reads as 0, with which the signature fails. */
const COLUMNS = [orZero('seq').as('seq'), orZero('at').as('at'), 'mac', 'signature'] as const;

@Injectable()
export class AuditCheckpointsRepository {
  constructor(private readonly database: Database) {}

  async insert(row: AuditCheckpointRow): Promise<void> {
    await this.database.query.insertInto('audit_checkpoints').values(row).execute();
  }

  async find(seq: number): Promise<AuditCheckpointRow | undefined> {
    return this.database.query
      .selectFrom('audit_checkpoints')
      .select(COLUMNS)
      .where('seq', '=', seq)
      .executeTakeFirst();
  }

  async findLatest(): Promise<AuditCheckpointRow | undefined> {
    return this.database.query
      .selectFrom('audit_checkpoints')
      .select(COLUMNS)
      .orderBy('audit_checkpoints.seq', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  /** @param afterSeq - the last one of the page before */
  async page(afterSeq: number | undefined, limit: number): Promise<AuditCheckpointRow[]> {
    const checkpoints = this.database.query.selectFrom('audit_checkpoints').select(COLUMNS);
    const rest = afterSeq === undefined ? checkpoints : checkpoints.where('seq', '>', afterSeq);
    return rest.orderBy('audit_checkpoints.seq').limit(limit).execute();
  }
}
