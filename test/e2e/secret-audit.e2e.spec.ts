import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { whileAuditFails } from '../support/audit-outage.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type Exchange, type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' };

describe('the audit log of secrets', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    function send(method: string, path: string, exchange: Exchange = {}): Promise<HttpsResponse> {
      return app.request(method, `/v1/secrets/${path}`, { token: owner.token, ...exchange });
    }

    async function eventsOf(name: string): Promise<unknown[]> {
      const { items } = await app.get('/v1/audit?limit=100', owner.token);
      return items
        .filter(({ target }) => String(target).startsWith(`secret:${name}#`))
        .map(({ action, target, outcome }) => [action, String(target).split('#')[1], outcome])
        .toReversed();
    }

    it('has one event for each version that is touched or read', async () => {
      const put = (v: string) => send('PUT', 'told', { json: { data: { v } } });
      await put('1');
      await put('2');
      await send('PATCH', 'told', { raw: '{"v":"3"}', headers: MERGE_PATCH });
      await send('PATCH', 'told/metadata', { raw: '{"team":"a"}', headers: MERGE_PATCH });
      await send('GET', 'told');
      await send('GET', 'told?version=1');
      await send('DELETE', 'told?versions=1,2');
      await send('POST', 'told/undelete', { json: { versions: [2] } });
      await send('POST', 'told/rollback', { json: { version: 2 } });
      await send('POST', 'told/destroy', { json: { versions: [1, 3] } });
      await send('GET', 'told?version=1');
      await send('GET', 'told/versions');
      await send('GET', '');
      expect(await eventsOf('told')).toEqual([
        ['secret.write', '1', 'success'],
        ['secret.write', '2', 'success'],
        ['secret.write', '3', 'success'],
        ['secret.metadata', '3', 'success'],
        ['secret.read', '3', 'success'],
        ['secret.read', '1', 'success'],
        ['secret.delete', '1', 'success'],
        ['secret.delete', '2', 'success'],
        ['secret.undelete', '2', 'success'],
        ['secret.write', '4', 'success'],
        ['secret.destroy', '1', 'success'],
        ['secret.destroy', '3', 'success'],
      ]);
    });

    it('has nothing of a write that was refused', async () => {
      await send('PUT', 'refused', { json: { data: {} } });
      const headers = { 'if-match': '"9"' };
      await send('PUT', 'refused', { json: { data: {} }, headers });
      await send('POST', 'refused/destroy', { json: { versions: [1] }, headers });
      await send('POST', 'refused/undelete', { json: { versions: [1] } });
      expect(await eventsOf('refused')).toEqual([['secret.write', '1', 'success']]);
    });

    it('keeps everything as it was, and secret, while it cannot be written', async () => {
      await send('PUT', 'kept', { json: { data: { v: 'not to be seen' } } });
      const responses = await whileAuditFails(app, async () => [
        await send('GET', 'kept'),
        await send('PUT', 'kept', { json: { data: {} } }),
        await send('PATCH', 'kept', { raw: '{"v":null}', headers: MERGE_PATCH }),
        await send('PATCH', 'kept/metadata', { raw: '{"a":"b"}', headers: MERGE_PATCH }),
        await send('DELETE', 'kept'),
        await send('POST', 'kept/destroy', { json: { versions: [1] } }),
        await send('POST', 'kept/rollback', { json: { version: 1 } }),
      ]);
      for (const response of responses) {
        expectProblem(response, 'ERR_UNAVAILABLE');
        expect(response.text).not.toContain('not to be seen');
      }
      expect((await send('GET', 'kept')).members).toMatchObject({
        version: 1,
        metadata: {},
        data: { v: 'not to be seen' },
      });
    });
  });
});
