import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anEvent, openAuditLog } from '../../test/support/audit-log.js';
import { FakeClock } from '../../test/support/fake-clock.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { type Database } from '../database/database.js';
import { type AuditCheckpoint } from './audit-checkpoints.js';
import { type NewAuditEvent } from './audit-event.js';
import { type AuditEventRow, type AuditHead } from './audit.repository.js';
import { AuditBrokenError, AuditUnavailableError } from './errors.js';

const events: readonly NewAuditEvent[] = [
  anEvent,
  { actor: null, action: 'auth.login-failed', outcome: 'failure', value: 'ada@example.com' },
  { ...anEvent, ownerId: 'bob' },
  { ...anEvent, target: 'ſecret:ʼ\u{1F511}' },
  { actor: 'system', action: 'auth.logout', outcome: 'success', value: 'a token' },
  anEvent,
];
const seqs = events.map((_, index) => index + 1);
const CHECKPOINT = 4;
const last = seqs.length;

/** One change of every column that somebody could write in place of what is there. */
const changes: readonly ((row: AuditEventRow) => Partial<AuditEventRow>)[] = [
  ({ at }) => ({ at: at + 1 }),
  () => ({ at: -1 }),
  ({ actor }) => ({ actor: actor === null ? 'ada' : null }),
  ({ actor }) => ({ actor: `${actor} ` }),
  ({ owner_id }) => ({ owner_id: owner_id === null ? '' : null }),
  ({ action }) => ({ action: action.slice(0, -1) }),
  ({ target }) => ({ target: target === null ? '' : null }),
  ({ outcome }) => ({ outcome: outcome === 'success' ? 'failure' : 'success' }),
  ({ ip }) => ({ ip: ip === null ? '' : `${ip}0` }),
  ({ request_id }) => ({ request_id: request_id === null ? '' : null }),
  ({ value_digest }) => ({ value_digest: value_digest === null ? Buffer.alloc(0) : null }),
  ({ value_digest }) => ({ value_digest: Buffer.alloc(value_digest?.length ?? 16) }),
  // The same bytes on the other side of the border between two fields.
  ({ target, outcome }) => ({ target: `${target}${outcome}` }),
  ({ mac }) => ({ mac: mac.map((byte, index) => (index === 31 ? byte ^ 1 : byte)) }),
  ({ mac }) => ({ mac: mac.slice(0, 31) }),
  () => ({ mac: new Uint8Array() }),
  () => ({ key_id: '0123456789abcdef' }),
];

class Undone extends Error {}

function moved(rows: readonly AuditEventRow[], by: number): AuditEventRow[] {
  return rows.map((row) => Object.assign({}, row, { seq: row.seq + by }));
}

describe('a changed audit log', () => {
  forEachDatabaseKind((kind) => {
    const clock = new FakeClock();
    const rootKey = new StaticRootKeyProvider();
    let testDatabase: TestDatabase;
    let database: Database;
    let log: ReturnType<typeof openAuditLog>;
    let directory: string;
    let shipped: AuditCheckpoint;
    let oldHead: AuditHead;
    beforeAll(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      directory = await mkdtemp(join(tmpdir(), 'audit-'));
      log = openAuditLog(database, rootKey, clock, { AUDIT_CHECKPOINT_FILE: join(directory, 'checkpoints') });
      for (const event of events) {
        await log.audit.record(event);
        clock.advance(1);
        if ((await head()).seq === CHECKPOINT - 1) oldHead = await head();
        if ((await head()).seq === CHECKPOINT) shipped = await log.checkpointer.run();
      }
    });
    afterAll(async () => {
      await testDatabase.remove();
      await rm(directory, { recursive: true });
    });

    /** What a verification says of the log after `change`, which is undone again: a number, or all is well. */
    async function verifyAfter(
      change: () => Promise<unknown>,
      more?: () => Promise<unknown>,
    ): Promise<unknown> {
      let outcome: unknown;
      const trial = database.transaction(async () => {
        await change();
        const verification = log.verifier.verify().then(more);
        outcome = await verification.then(
          () => 'as it was written',
          (error: unknown) => (error instanceof AuditBrokenError ? error.extensions.seq : error),
        );
        throw new Undone();
      });
      await expect(trial).rejects.toThrow(Undone);
      return outcome;
    }

    async function row(seq: number): Promise<AuditEventRow> {
      return database.query
        .selectFrom('audit_events')
        .selectAll()
        .where('seq', '=', seq)
        .executeTakeFirstOrThrow();
    }

    async function head(): Promise<AuditHead> {
      const { id, ...rest } = await database.query
        .selectFrom('audit_head')
        .selectAll()
        .executeTakeFirstOrThrow();
      expect(id).toBe(1);
      return rest;
    }

    const remove = (...numbers: number[]) =>
      database.query
        .deleteFrom('audit_events')
        .where('seq', 'in', [0, ...numbers])
        .execute();
    const insert = (...rows: AuditEventRow[]) =>
      database.query.insertInto('audit_events').values(rows).execute();
    const setHead = (to: AuditHead) => database.query.updateTable('audit_head').set(to).execute();
    const replace = async (changed: AuditEventRow) => {
      await remove(changed.seq);
      await insert(changed);
    };
    const cutAfter = (seq: number) => remove(...seqs.filter((number) => number > seq));
    const forgetCheckpoints = () => database.query.deleteFrom('audit_checkpoints').execute();
    const verifyShipped = () => log.checkpoints.verify({ ...shipped, at: shipped.at.getTime() });

    it('is none of one without events, which is signed as such', async () => {
      const empty = await TestDatabase.create(kind);
      const { checkpoints, verifier } = openAuditLog(await empty.openMigrated(), rootKey, clock);
      const { checkpoint } = await checkpoints.sign(async () => {});
      expect(checkpoint.seq).toBe(0);
      expect(await verifier.verify()).toBe(0);
      await empty.remove();
    });

    it('is none when nobody changes it', async () => {
      expect(await log.verifier.verify()).toBe(last);
      expect(await verifyAfter(async () => {}, verifyShipped)).toBe('as it was written');
    });

    it.each(seqs)('is found when any column of event %i is edited', async (seq) => {
      const written = await row(seq);
      const outcomes = [];
      for (const change of changes) {
        const edit = change(written);
        expect(edit).not.toMatchObject({ ...written });
        outcomes.push(await verifyAfter(() => replace({ ...written, ...edit })));
      }
      expect(outcomes).toEqual(changes.map(() => seq));
    });

    it('is found at any event that was deleted', async () => {
      const outcomes = [];
      for (const seq of seqs) outcomes.push(await verifyAfter(() => remove(seq)));
      expect(outcomes).toEqual(seqs);
    });

    it('is found at any event that was deleted, with those after it moved up', async () => {
      const outcomes = [];
      for (const seq of seqs.slice(0, -1)) {
        const following = await Promise.all(seqs.slice(seq).map(row));
        outcomes.push(
          await verifyAfter(async () => {
            await remove(...seqs.slice(seq - 1));
            await insert(...moved(following, -1));
            await setHead({ ...(await head()), seq: last - 1 });
          }),
        );
      }
      expect(outcomes).toEqual(seqs.slice(0, -1));
    });

    it('is found at the first of any two events that were swapped', async () => {
      const outcomes = [];
      const expected = [];
      for (const one of seqs) {
        for (const other of seqs.slice(one)) {
          const [first, second] = [await row(one), await row(other)];
          outcomes.push(
            await verifyAfter(async () => {
              await remove(one, other);
              await insert({ ...first, seq: other }, { ...second, seq: one });
            }),
          );
          expected.push(one);
        }
      }
      expect(outcomes).toEqual(expected);
    });

    it('is found at an event that was inserted, wherever', async () => {
      for (const seq of seqs) {
        const copied = await row(seq);
        for (const place of [last + 1, last + 2, 0, -1, -5]) {
          const outcome = await verifyAfter(() => insert({ ...copied, seq: place }));
          expect([place, outcome]).toEqual([place, place > last ? last + 1 : place]);
        }
        const following = await Promise.all(seqs.slice(seq).map(row));
        const between = await verifyAfter(async () => {
          await remove(...seqs.slice(seq));
          await insert(...moved([copied, ...following], 1));
          await setHead({ ...(await head()), seq: last + 1 });
        });
        // A copy of the last one is where the head now points; its seq is in its MAC.
        expect(between).toBe(seq + 1);
      }
    });

    it.each([0, ...seqs.slice(0, -1)])('is found when everything after event %i was cut off', async (seq) => {
      const end = seq === 0 ? { mac: Buffer.alloc(32) } : await row(seq);
      expect(await verifyAfter(() => cutAfter(seq))).toBe(seq + 1);
      const cut = await verifyAfter(async () => {
        await cutAfter(seq);
        await setHead({ ...(await head()), seq, mac: end.mac });
      });
      expect(cut).toBe(seq + 1);
      const emptied = await verifyAfter(async () => {
        await cutAfter(seq);
        await forgetCheckpoints();
        await setHead({ seq, mac: end.mac, key_id: null, head_mac: null });
      });
      expect(emptied).toBe(seq + 1);
    });

    it('is found by a checkpoint when the end was put back to one that once was', async () => {
      const cut = async () => {
        await cutAfter(CHECKPOINT - 1);
        await setHead(oldHead);
      };
      expect(await verifyAfter(cut)).toBe(CHECKPOINT);
      const thorough = async () => {
        await cut();
        await forgetCheckpoints();
      };
      expect(await verifyAfter(thorough, verifyShipped)).toBe(CHECKPOINT);
      expect(await verifyAfter(thorough)).toBe('as it was written');
    });

    it('is found when the row that holds the end is edited or gone', async () => {
      const end = await head();
      const edits = [
        { seq: last + 1 },
        { seq: last - 1 },
        { mac: Buffer.alloc(32, 1) },
        { head_mac: Buffer.alloc(32, 1) },
        { head_mac: null },
        { key_id: null },
        { key_id: '0123456789abcdef' },
      ];
      for (const edit of edits) {
        const outcome = await verifyAfter(() => setHead({ ...end, ...edit }));
        expect([edit, outcome]).toEqual([edit, 'seq' in edit && edit.seq < last ? last : last + 1]);
      }
      expect(await verifyAfter(() => database.query.deleteFrom('audit_head').execute())).toBe(1);
    });

    it.each(['9223372036854775807', '-9223372036854775808'])(
      'is found when a number is set to %s, which JavaScript does not hold',
      async (number) => {
        const set = (table: string, column: string) => () =>
          sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sql.lit(BigInt(number))}`.execute(
            database.query,
          );
        expect(await verifyAfter(set('audit_head', 'seq'))).toBe(1);
        expect(await verifyAfter(set('audit_checkpoints', 'at'))).toBe(CHECKPOINT);
        expect(await verifyAfter(set('audit_checkpoints', 'seq'))).toBe(0);
        expect(await verifyAfter(set('audit_events', 'at'))).toBe(1);
      },
    );

    it.each([
      ['seq', { seq: CHECKPOINT - 1 }, CHECKPOINT - 1],
      ['time', { at: 0 }, CHECKPOINT],
      ['MAC', { mac: Buffer.alloc(32) }, CHECKPOINT],
      ['MAC, cut short,', { mac: Buffer.alloc(0) }, CHECKPOINT],
      ['signature', { signature: Buffer.alloc(74) }, CHECKPOINT],
      ['signature, cut short,', { signature: Buffer.alloc(0) }, CHECKPOINT],
    ])('is found when the %s of a checkpoint is edited', async (_name, edit, seq) => {
      const stored = await database.query
        .selectFrom('audit_checkpoints')
        .selectAll()
        .executeTakeFirstOrThrow();
      const outcome = await verifyAfter(async () => {
        await forgetCheckpoints();
        await database.query
          .insertInto('audit_checkpoints')
          .values({ ...stored, ...edit })
          .execute();
      });
      expect(outcome).toBe(seq);
    });

    it('is found by an instance that has seen more events, whatever else was put back', async () => {
      const outcome = await verifyAfter(async () => {
        await log.checkpointer.run();
        await cutAfter(CHECKPOINT - 1);
        await setHead(oldHead);
        await forgetCheckpoints();
        await expect(log.checkpointer.run()).rejects.toThrow(new AuditBrokenError(CHECKPOINT, 'is missing'));
      });
      expect(outcome).toBe('as it was written');
    });

    it('takes no more events once its end was set back: new ones would hide what was cut off', async () => {
      const end = await head();
      await setHead({ ...end, seq: last - 1, mac: (await row(last - 1)).mac });
      await expect(log.audit.record(anEvent)).rejects.toThrow(AuditUnavailableError);
      await expect(database.transaction(() => log.audit.record(anEvent))).rejects.toThrow(
        AuditUnavailableError,
      );
      await setHead(end);
      expect(await log.verifier.verify()).toBe(last);
    });

    it('is signed no more', async () => {
      await replace({ ...(await row(last)), ip: '198.51.100.1' });
      const { checkpointer } = openAuditLog(database, rootKey, clock);
      await expect(checkpointer.run()).rejects.toThrow(new AuditBrokenError(last, 'was changed'));
    });
  });
});
