import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { anEvent, openAuditLog } from '../../test/support/audit-log.js';
import { FakeClock } from '../../test/support/fake-clock.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { type Database } from '../database/database.js';
import { type AuditService } from './audit.service.js';
import { AuditUnavailableError } from './errors.js';

describe('AuditService', () => {
  forEachDatabaseKind((kind) => {
    const clock = new FakeClock();
    const rootKey = new StaticRootKeyProvider();
    let testDatabase: TestDatabase;
    let database: Database;
    let audit: AuditService;
    beforeEach(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      audit = newService(database);
    });
    afterEach(() => testDatabase.remove());

    function newService(over: Database): AuditService {
      return openAuditLog(over, rootKey, clock).audit;
    }

    async function seqs(): Promise<number[]> {
      const rows = await database.query.selectFrom('audit_events').select('seq').orderBy('seq').execute();
      return rows.map(({ seq }) => seq);
    }

    it('gives an event back as it was recorded', async () => {
      await audit.record(anEvent);
      expect(await audit.list('ada', { limit: 20 })).toEqual({
        items: [{ ...anEvent, seq: 1, at: new Date(clock.nowMs()) }],
        nextCursor: null,
      });
    });

    it('commits an event with its transaction', async () => {
      await database.transaction(async () => {
        await audit.record(anEvent);
        await audit.record(anEvent);
        expect(await seqs()).toEqual([]);
      });
      expect(await seqs()).toEqual([1, 2]);
    });

    it('keeps no event of a transaction that is undone', async () => {
      const undone = database.transaction(async () => {
        await audit.record(anEvent);
        throw new RangeError('changed my mind');
      });
      await expect(undone).rejects.toThrow(RangeError);
      await audit.record(anEvent);
      expect(await seqs()).toEqual([1]);
    });

    it('numbers the events of several instances without a gap', async () => {
      const other = newService(await testDatabase.open());
      await Promise.all(
        Array.from({ length: 64 }, (_, index) => {
          const service = index % 2 === 0 ? audit : other;
          if (index % 3 > 0) return service.record(anEvent);
          return database.transaction(() => audit.record(anEvent));
        }),
      );
      expect(await seqs()).toEqual(Array.from({ length: 64 }, (_, index) => index + 1));
    });

    it('stops only those transactions that record something when its key cannot be read', async () => {
      await audit.record(anEvent);
      clock.advance(1);
      const wrapped = Buffer.alloc(82);
      await database.query
        .updateTable('keys')
        .set({ wrapped })
        .where('purpose', '=', 'audit-chain')
        .execute();
      const other = await testDatabase.open();
      const service = newService(other);
      expect(await other.transaction(async () => 'unconcerned')).toBe('unconcerned');
      const change = other.transaction(() => service.record(anEvent));
      await expect(change).rejects.toThrow(AuditUnavailableError);
      expect(await seqs()).toEqual([1]);
    });

    it('undoes a transaction whose event it cannot write, and says that it is unavailable', async () => {
      await database.transaction(() => audit.record(anEvent));
      await database.query.schema.alterTable('audit_events').renameTo('moved').execute();
      const change = database.transaction(async () => {
        await database.query.deleteFrom('moved' as 'audit_events').execute();
        await audit.record(anEvent);
      });
      await expect(change).rejects.toThrow(AuditUnavailableError);
      await expect(audit.record(anEvent)).rejects.toThrow(AuditUnavailableError);
      await database.query.schema.alterTable('moved').renameTo('audit_events').execute();
      await audit.record(anEvent);
      expect(await seqs()).toEqual([1, 2]);
    });

    it('lists what a user did and what concerns them, newest first, page by page', async () => {
      await audit.record({ ...anEvent, target: 'a' });
      await audit.record({ ...anEvent, actor: 'admin', ownerId: 'ada', target: 'b' });
      await audit.record({ ...anEvent, actor: 'bob', target: 'c' });
      await audit.record({ ...anEvent, ownerId: 'ada', target: 'd' });
      await audit.record({
        ...anEvent,
        actor: null,
        action: 'auth.login-failed',
        ownerId: 'ada',
        target: 'e',
      });
      const targets: unknown[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await audit.list('ada', { limit: 2, ...(cursor ? { cursor } : {}) });
        targets.push(page.items.map(({ target }) => target));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(targets).toEqual([
        ['e', 'd'],
        ['b', 'a'],
      ]);
      const failed = await audit.list('ada', { action: 'auth.login-failed', limit: 20 });
      expect(failed.items.map(({ target }) => target)).toEqual(['e']);
    });
  });
});
