import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { anEvent, openAuditLog } from '../../test/support/audit-log.js';
import { FakeClock } from '../../test/support/fake-clock.js';
import { openRotation, type Rotation } from '../../test/support/key-rotation.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { forEachDatabaseKind, TestDatabase } from '../../test/support/test-database.js';
import { type Database } from '../database/database.js';
import { KeyInUseError } from '../keys/errors.js';
import { SYSTEM_OWNER } from '../keys/key-purposes.js';
import { AuditBrokenError } from './errors.js';

describe('the audit log, when its keys are rotated,', () => {
  forEachDatabaseKind((kind) => {
    const clock = new FakeClock();
    const rootKey = new StaticRootKeyProvider();
    let testDatabase: TestDatabase;
    let database: Database;
    let log: ReturnType<typeof openAuditLog>;
    let rotation: Rotation;
    beforeEach(async () => {
      testDatabase = await TestDatabase.create(kind);
      database = await testDatabase.openMigrated();
      log = openAuditLog(database, rootKey, clock);
      rotation = openRotation(database, rootKey, clock);
    });
    afterEach(() => testDatabase.remove());

    async function rotate(purpose: 'audit-chain' | 'audit-signing' | 'audit-kek'): Promise<void> {
      const job = await rotation.rotation.rotate(purpose, SYSTEM_OWNER);
      clock.advance(3);
      expect(await rotation.runner.run(job!.id)).toBe(true);
    }

    async function keyIds(): Promise<string[]> {
      const rows = await database.query.selectFrom('audit_events').select('key_id').orderBy('seq').execute();
      return rows.map(({ key_id }) => key_id);
    }

    it('goes on under the new ones, verifies as a whole and finds old values', async () => {
      for (const purpose of ['audit-chain', 'audit-signing', 'audit-kek', 'audit-chain'] as const) {
        await log.audit.record({ ...anEvent, value: 'ada@example.com' });
        await log.checkpoints.sign(async () => {});
        await rotate(purpose);
      }
      await log.audit.record(anEvent);
      const [first, second, third, fourth, fifth] = await keyIds();
      expect([second, fourth]).toEqual([third, third]);
      expect(new Set([first, second, fifth]).size).toBe(3);
      const another = openAuditLog(await testDatabase.open(), rootKey, clock);
      expect(await another.verifier.verify()).toBe(5);
      const found = await another.audit.findByValue('ADA@example.com');
      expect(found.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    });

    it('keeps the old ones: none can be destroyed', async () => {
      await log.audit.record(anEvent);
      await log.checkpoints.sign(async () => {});
      for (const purpose of ['audit-chain', 'audit-signing'] as const) {
        const retired = await rotation.keys.findPrimaryId(SYSTEM_OWNER, purpose);
        await rotate(purpose);
        await expect(rotation.destruction.destroy(retired ?? '')).rejects.toThrow(KeyInUseError);
      }
      expect(await log.verifier.verify()).toBe(1);
    });

    it('cannot be verified where an old one is gone, and says from which event on', async () => {
      await log.audit.record(anEvent);
      await rotate('audit-chain');
      await log.audit.record(anEvent);
      await log.audit.record(anEvent);
      const [, gone] = await keyIds();
      await database.query
        .updateTable('keys')
        .set({ state: 'DISABLED' })
        .where('id', '=', gone ?? '')
        .execute();
      clock.advance(2);
      await expect(log.verifier.verify()).rejects.toThrow(new AuditBrokenError(2, 'was changed'));
    });
  });
});
