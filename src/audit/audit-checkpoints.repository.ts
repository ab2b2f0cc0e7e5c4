import { Injectable } from '@nestjs/common';
import { type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

export type AuditCheckpointRow = Selectable<Schema['audit_checkpoints']>;

@Injectable()
export class AuditCheckpointsRepository {
  constructor(private readonly database: Database) {}

  async insert(row: AuditCheckpointRow): Promise<void> {
    await this.database.query.insertInto('audit_checkpoints').values(row).execute();
  }

  async find(seq: number): Promise<AuditCheckpointRow | undefined> {
    return this.database.query
      .selectFrom('audit_checkpoints')
      .selectAll()
      .where('seq', '=', seq)
      .executeTakeFirst();
  }

  async findLatest(): Promise<AuditCheckpointRow | undefined> {
    return this.database.query
      .selectFrom('audit_checkpoints')
      .selectAll()
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  async page(afterSeq: number, limit: number): Promise<AuditCheckpointRow[]> {
    return this.database.query
      .selectFrom('audit_checkpoints')
      .selectAll()
      .where('seq', '>', afterSeq)
      .orderBy('seq')
      .limit(limit)
      .execute();
  }
}
