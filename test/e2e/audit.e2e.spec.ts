import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/database/database.js';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

describe('the audit log', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let ada: Account;
    let admin: Account;
    beforeAll(async () => {
      app = await newApp();
      [ada, admin] = await Promise.all([newAccount(app), newAdmin(app)]);
    });
    afterAll(() => app.close());

    const reads = '?action=audit.read';

    it('shows a user who read their log, but not from where, and the reader their own address', async () => {
      const read = await app.get(`/v1/audit?userId=${ada.id}`, admin.token);
      const item = {
        seq: expect.any(Number),
        at: app.clock.iso(),
        actor: admin.id,
        action: 'audit.read',
        target: `user:${ada.id}`,
        outcome: 'success',
        ip: '127.0.0.1',
        requestId: read.headers['x-request-id'],
      };
      expect(read.items).toContainEqual(item);
      expect((await app.get(`/v1/audit${reads}`, admin.token)).items).toEqual([item]);
      const seen = await app.get(`/v1/audit${reads}`, ada.token);
      expect(seen.items).toEqual([{ ...item, ip: null, requestId: null }]);
    });

    it('shows nobody else what another user did', async () => {
      const bob = await newAccount(app);
      expect((await app.get(`/v1/audit${reads}`, bob.token)).items).toEqual([]);
      expectProblem(await app.get(`/v1/audit?userId=${ada.id}`, bob.token), 'ERR_FORBIDDEN');
      const own = await app.get(`/v1/audit?userId=${bob.id}`, bob.token);
      expect(own.status).toBe(200);
    });

    it('refuses unknown actions, users, cursors and limits', async () => {
      const queries = ['action=x', 'userId=x', 'cursor=$', 'limit=0', 'limit=101', 'since=1'];
      for (const query of queries) {
        const response = await app.get(`/v1/audit?${query}`, ada.token);
        expect(badFields(response)).toEqual([`/${query.split('=', 1)[0]}`]);
      }
    });

    it('reveals nothing while it cannot be written', async () => {
      const { schema } = app.nest.get(Database, { strict: false }).query;
      await schema.alterTable('audit_head').renameTo('moved').execute();
      const refused = await app.get(`/v1/audit?userId=${ada.id}`, admin.token);
      await schema.alterTable('moved').renameTo('audit_head').execute();
      expect(expectProblem(refused, 'ERR_UNAVAILABLE')).not.toHaveProperty('items');
      expect((await app.get(`/v1/audit?userId=${ada.id}`, admin.token)).status).toBe(200);
    });
  });
});
