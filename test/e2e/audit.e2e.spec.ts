import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/database/database.js';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const TOO_HIGH = Buffer.from('99999999999999999999').toString('base64url');

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
      const refused = await app.get(`/v1/audit?userId=${ada.id}`, bob.token);
      expectProblem(refused, 'ERR_FORBIDDEN');
      const denials = await app.get('/v1/audit?action=access.denied', bob.token);
      expect(denials.items).toEqual([
        expect.objectContaining({
          actor: bob.id,
          target: 'permission:audit:read-any',
          outcome: 'failure',
          requestId: refused.headers['x-request-id'],
        }),
      ]);
      const own = await app.get(`/v1/audit?userId=${bob.id}`, bob.token);
      expect(own.status).toBe(200);
    });

    it('refuses unknown actions, users, cursors and limits', async () => {
      const queries = [
        'action=x',
        'userId=x',
        'cursor=$',
        `cursor=${TOO_HIGH}`,
        'limit=0',
        'limit=101',
        'since=1',
      ];
      for (const query of queries) {
        const response = await app.get(`/v1/audit?${query}`, ada.token);
        expect(badFields(response)).toEqual([`/${query.split('=', 1)[0]}`]);
      }
    });

    it('is verified and signed for administrators only', async () => {
      const signed = await app.get('/v1/audit/checkpoint', admin.token);
      expect(signed.body).toEqual({
        seq: expect.any(Number),
        at: app.clock.iso(),
        keyId: expect.stringMatching(/^[0-9a-f]{16}$/),
        mac: expect.stringMatching(/^[\w-]{43}$/),
        signature: expect.stringMatching(/^[\w-]{99}$/),
      });
      const verified = await app.post('/v1/audit/verify', undefined, admin.token);
      expect(verified.body).toEqual({ verified: signed.members['seq'] });
      expectProblem(await app.post('/v1/audit/verify', undefined, ada.token), 'ERR_FORBIDDEN');
      expectProblem(await app.get('/v1/audit/checkpoint', ada.token), 'ERR_FORBIDDEN');
    });

    it('says which event was changed', async () => {
      const { query } = app.nest.get(Database, { strict: false });
      await query
        .updateTable('audit_events')
        .set({ ip: '192.0.2.1' } as object)
        .where('seq', '=', 1)
        .execute();
      const broken = await app.post('/v1/audit/verify', undefined, admin.token);
      await query
        .updateTable('audit_events')
        .set({ ip: '127.0.0.1' } as object)
        .where('seq', '=', 1)
        .execute();
      expect(expectProblem(broken, 'ERR_AUDIT_BROKEN')).toMatchObject({ seq: 1 });
      expect((await app.post('/v1/audit/verify', undefined, admin.token)).status).toBe(200);
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
