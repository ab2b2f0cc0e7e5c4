import { Injectable } from '@nestjs/common';
import { type Selectable } from 'kysely';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';

/** The rotation of one owner's keys of one purpose. */
export type KeyJob = Selectable<Schema['key_jobs']>;

/** A job that one worker holds: nobody else works on it before the lease ends. */
export type HeldKeyJob = KeyJob & { readonly lease_owner: string };

/**
 * Every change by a worker names the worker, so one whose lease was taken over can change nothing more.
 */
@Injectable()
export class KeyJobsRepository {
  constructor(private readonly database: Database) {}

  /** @returns false when there is an unfinished one for the purpose and owner */
  async insert(job: KeyJob): Promise<boolean> {
    const inserted = await this.database.query
      .insertInto('key_jobs')
      .values(job)
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return inserted !== undefined;
  }

  async find(id: string): Promise<KeyJob | undefined> {
    return this.database.query.selectFrom('key_jobs').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async findUnfinished(purpose: string, ownerId: string): Promise<KeyJob | undefined> {
    return this.database.query
      .selectFrom('key_jobs')
      .selectAll()
      .where('purpose', '=', purpose)
      .where('owner_id', '=', ownerId)
      .where('finished_at', 'is', null)
      .executeTakeFirst();
  }

  /** Unfinished jobs, oldest first. */
  async listUnfinished(afterId: string, limit: number): Promise<KeyJob[]> {
    return this.database.query
      .selectFrom('key_jobs')
      .selectAll()
      .where('finished_at', 'is', null)
      .where('id', '>', afterId)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /**
   * Takes an unfinished job that began at or before `begunUntilMs` and that nobody holds. Of any number of
   * workers at most one is given it. Times after `misdatedFromMs` hold nobody up.
   */
  async claim(
    id: string,
    {
      worker,
      nowMs,
      untilMs,
      begunUntilMs,
      misdatedFromMs,
    }: Readonly<Record<'nowMs' | 'untilMs' | 'begunUntilMs' | 'misdatedFromMs', number>> & { worker: string },
  ): Promise<HeldKeyJob | undefined> {
    const job = await this.database.query
      .updateTable('key_jobs')
      .set({ lease_owner: worker, lease_until: untilMs })
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .where((where) =>
        where.or([where('created_at', '<=', begunUntilMs), where('created_at', '>', misdatedFromMs)]),
      )
      .where((where) =>
        where.or([
          where('lease_until', 'is', null),
          where('lease_until', '<=', nowMs),
          where('lease_until', '>', misdatedFromMs),
        ]),
      )
      .returningAll()
      .executeTakeFirst();
    return job && { ...job, lease_owner: worker };
  }

  /**
   * Notes what was done and keeps the job for longer.
   *
   * @returns the job as it is now, or `undefined` when another worker has taken it over
   */
  async renew(
    { id, lease_owner: worker }: HeldKeyJob,
    { moved, position, untilMs }: { moved: number; position: string; untilMs: number },
  ): Promise<HeldKeyJob | undefined> {
    const job = await this.database.query
      .updateTable('key_jobs')
      .set((column) => ({ lease_until: untilMs, position, done: column('done', '+', moved) }))
      .where('id', '=', id)
      .where('lease_owner', '=', worker)
      .returningAll()
      .executeTakeFirst();
    return job && { ...job, lease_owner: worker };
  }

  async release({ id, lease_owner: worker }: HeldKeyJob): Promise<void> {
    await this.database.query
      .updateTable('key_jobs')
      .set({ lease_owner: null, lease_until: null })
      .where('id', '=', id)
      .where('lease_owner', '=', worker)
      .execute();
  }

  /** @returns false when another worker has taken the job over */
  async finish(
    { id, lease_owner: worker }: HeldKeyJob,
    { nowMs, remaining }: { nowMs: number; remaining: number },
  ): Promise<boolean> {
    const job = await this.database.query
      .updateTable('key_jobs')
      .set({ finished_at: nowMs, remaining, lease_owner: null, lease_until: null })
      .where('id', '=', id)
      .where('lease_owner', '=', worker)
      .returning('id')
      .executeTakeFirst();
    return job !== undefined;
  }

  /** Removes up to `limit` of the jobs that ended at or before a time. */
  async removeFinished(untilMs: number, limit: number): Promise<void> {
    await this.database.query
      .deleteFrom('key_jobs')
      .where('id', 'in', (jobs) =>
        jobs.selectFrom('key_jobs').select('id').where('finished_at', '<=', untilMs).limit(limit),
      )
      .execute();
  }

  /** Ends every job of an owner whose keys are gone. */
  async finishOfOwner(ownerId: string, nowMs: number): Promise<void> {
    await this.database.query
      .updateTable('key_jobs')
      .set({ finished_at: nowMs, lease_owner: null, lease_until: null })
      .where('owner_id', '=', ownerId)
      .where('finished_at', 'is', null)
      .execute();
  }
}
