import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SecretSweeper } from '../../src/secrets/secret-sweeper.js';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

describe('the states of a version', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    async function put(name: string, json: object): Promise<void> {
      const { status } = await app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, json });
      expect([200, 201]).toContain(status);
    }

    async function putVersions(name: string, count: number): Promise<void> {
      for (let version = 1; version <= count; version++) await put(name, { data: { v: String(version) } });
    }

    function get(path: string): Promise<HttpsResponse> {
      return app.get(`/v1/secrets/${path}`, owner.token);
    }

    function post(path: string, json: unknown, headers: Record<string, string> = {}): Promise<HttpsResponse> {
      return app.request('POST', `/v1/secrets/${path}`, { token: owner.token, json, headers });
    }

    function remove(path: string): Promise<HttpsResponse> {
      return app.request('DELETE', `/v1/secrets/${path}`, { token: owner.token });
    }

    async function states(name: string): Promise<unknown> {
      const { items } = await get(`${name}/versions`);
      return Object.fromEntries(items.map(({ version, state }) => [version, state]));
    }

    function rowsOf(name: string) {
      return databaseOf(app)
        .query.selectFrom('secret_versions')
        .innerJoin('secrets', 'secrets.id', 'secret_versions.secret_id')
        .selectAll('secret_versions')
        .where('owner_id', '=', owner.id)
        .where('name', '=', name)
        .orderBy('version')
        .execute();
    }

    async function keyOf(id: string) {
      const { query } = databaseOf(app);
      return query.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    }

    it('brings deleted versions back, all that are named or none', async () => {
      await putVersions('back', 3);
      await remove('back?versions=1,2');
      const problem = expectProblem(await post('back/undelete', { versions: [1, 3] }), 'ERR_SECRET_STATE');
      expect(problem['state']).toBe('active');
      expect(await states('back')).toEqual({ 1: 'deleted', 2: 'deleted', 3: 'active' });
      expectProblem(await post('back/undelete', { versions: [1, 9] }), 'ERR_SECRET_NOT_FOUND');
      const response = await post('back/undelete', { versions: [2, 1, 2] });
      expect(response.status).toBe(200);
      expect(response.items).toMatchObject([
        { version: 2, state: 'active' },
        { version: 1, state: 'active' },
      ]);
      expect((await get('back?version=1')).members['data']).toEqual({ v: '1' });
    });

    it('destroys versions in any other state, and only once', async () => {
      await putVersions('broken', 4);
      await remove('broken?versions=2');
      const response = await post('broken/destroy', { versions: [1, 2] });
      expect(response.status).toBe(200);
      expect(response.items).toMatchObject([
        { version: 2, state: 'destroyed' },
        { version: 1, state: 'destroyed' },
      ]);
      expect(await states('broken')).toEqual({ 1: 'destroyed', 2: 'destroyed', 3: 'active', 4: 'active' });
      for (const version of [1, 2]) {
        const gone = expectProblem(await get(`broken?version=${version}`), 'ERR_SECRET_GONE');
        expect(gone['state']).toBe('destroyed');
      }
      expectProblem(await post('broken/destroy', { versions: [3, 1] }), 'ERR_SECRET_STATE');
      expectProblem(await post('broken/undelete', { versions: [2] }), 'ERR_SECRET_STATE');
      expectProblem(await post('broken/rollback', { version: 1 }), 'ERR_SECRET_STATE');
      expect((await get('broken?version=3')).status).toBe(200);
    });

    it('leaves nothing of a destroyed version, not even to a backup of the table of versions', async () => {
      await put('shredded', { data: { v: 'gone for good' } });
      const [backup] = await rowsOf('shredded');
      const key = await keyOf(backup!.key_id);
      expect(key.wrapped).not.toBeNull();
      await post('shredded/destroy', { versions: [1] });
      const [row] = await rowsOf('shredded');
      expect(row).toMatchObject({ key_id: '', destroyed_at: app.clock.nowMs() });
      expect(row!.ciphertext).toHaveLength(0);
      expect(await keyOf(key.id)).toMatchObject({ state: 'DESTROYED', wrapped: null });

      // Under the name of its key no row can be written any more. The ciphertext names it too.
      const { ciphertext, destroyed_at } = backup!;
      await databaseOf(app)
        .query.updateTable('secret_versions')
        .set({ ciphertext, destroyed_at })
        .where('secret_id', '=', backup!.secret_id)
        .execute();
      app.clock.advance(1);
      const restored = await get('shredded');
      expectProblem(restored, 'ERR_INTERNAL');
      expect(restored.text).not.toContain('gone for good');
    });

    it('rolls back by writing an earlier version anew', async () => {
      await put('rolled', { data: { v: '1' }, expiresAt: app.clock.iso(1_000), metadata: { team: 'a' } });
      await put('rolled', { data: { v: '2' } });
      const response = await post('rolled/rollback', { version: 1 }, { 'if-match': '"2"' });
      expect(response.status).toBe(200);
      expect(response.headers).toMatchObject({ etag: '"3"', location: '/v1/secrets/rolled' });
      expect(response.members).toMatchObject({ version: 3, expiresAt: app.clock.iso(1_000) });
      expect((await get('rolled')).members).toMatchObject({ data: { v: '1' }, metadata: { team: 'a' } });
      const [first, , third] = await rowsOf('rolled');
      expect(third!.key_id).not.toBe(first!.key_id);
      expectProblem(await post('rolled/rollback', { version: 4 }), 'ERR_SECRET_NOT_FOUND');
      const stale = await post('rolled/rollback', { version: 1 }, { 'if-match': '"2"' });
      expectProblem(stale, 'ERR_PRECONDITION_FAILED');
    });

    it('does not roll back to what can not be read', async () => {
      await put('unreadable', { data: { v: '1' } });
      await put('unreadable', { data: { v: '2' }, expiresAt: app.clock.iso(10) });
      await put('unreadable', { data: { v: '3' } });
      await remove('unreadable?versions=1');
      app.clock.advance(10);
      const deleted = expectProblem(await post('unreadable/rollback', { version: 1 }), 'ERR_SECRET_STATE');
      const expired = expectProblem(await post('unreadable/rollback', { version: 2 }), 'ERR_SECRET_STATE');
      expect([deleted['state'], expired['state']]).toEqual(['deleted', 'expired']);
    });

    it('demands the condition of casRequired for a rollback too', async () => {
      await put('strict', { data: {}, casRequired: true });
      expectProblem(await post('strict/rollback', { version: 1 }), 'ERR_PRECONDITION_REQUIRED');
      expect((await post('strict/rollback', { version: 1 }, { 'if-match': '"1"' })).status).toBe(200);
    });

    it('changes states under If-Match only while the secret is at that version', async () => {
      await putVersions('tagged', 2);
      for (const action of ['undelete', 'destroy']) {
        const response = await post(`tagged/${action}`, { versions: [1] }, { 'if-match': '"1"' });
        expectProblem(response, 'ERR_PRECONDITION_FAILED');
      }
      expect((await post('tagged/destroy', { versions: [1] }, { 'if-match': '"2"' })).status).toBe(200);
    });

    it('destroys the data of what has expired, and still says that it expired', async () => {
      await put('swept', { data: { v: '1' }, expiresAt: app.clock.iso(10) });
      await put('swept', { data: { v: '2' }, expiresAt: app.clock.iso(20) });
      const [backup] = await rowsOf('swept');
      app.clock.advance(10);
      await app.nest.get(SecretSweeper).sweep();
      const [expired, live] = await rowsOf('swept');
      expect(expired).toMatchObject({ key_id: '', destroyed_at: null });
      expect(expired!.ciphertext).toHaveLength(0);
      expect(await keyOf(backup!.key_id)).toMatchObject({ state: 'DESTROYED', wrapped: null });
      expect(await keyOf(live!.key_id)).toMatchObject({ state: 'DECRYPT_ONLY' });
      expect(await states('swept')).toEqual({ 1: 'expired', 2: 'active' });
      expect((await get('swept')).members['data']).toEqual({ v: '2' });
      expect((await post('swept/destroy', { versions: [1] })).status).toBe(200);
      expect(await states('swept')).toEqual({ 1: 'destroyed', 2: 'active' });
    });

    it('leaves versions that cannot be read anyway as they are when they are deleted', async () => {
      await put('mixed', { data: { v: '1' }, expiresAt: app.clock.iso(10) });
      await put('mixed', { data: { v: '2' } });
      await put('mixed', { data: { v: '3' } });
      await post('mixed/destroy', { versions: [2] });
      app.clock.advance(10);
      expect((await remove('mixed?versions=1,2')).status).toBe(204);
      expect(await states('mixed')).toEqual({ 1: 'expired', 2: 'destroyed', 3: 'active' });
      expect((await remove('mixed?versions=1,2,3')).status).toBe(204);
      expect(await states('mixed')).toEqual({ 1: 'expired', 2: 'destroyed', 3: 'deleted' });
      expectProblem(await post('mixed/undelete', { versions: [1] }), 'ERR_SECRET_STATE');
    });

    it('does not let a deleted version that has expired come back by undeleting it', async () => {
      await put('late', { data: { v: '1' }, expiresAt: app.clock.iso(10) });
      await remove('late');
      app.clock.advance(10);
      await app.nest.get(SecretSweeper).sweep();
      expect((await post('late/undelete', { versions: [1] })).items).toMatchObject([{ state: 'expired' }]);
      expect(expectProblem(await get('late'), 'ERR_SECRET_GONE')['state']).toBe('expired');
    });

    it('keeps the data of the latest 100 versions and destroys what is older', async () => {
      await putVersions('long', 102);
      const rows = await rowsOf('long');
      expect(rows.filter((row) => row.key_id === '').map(({ version }) => version)).toEqual([1, 2]);
      expect(expectProblem(await get('long?version=2'), 'ERR_SECRET_GONE')['state']).toBe('destroyed');
      expect((await get('long?version=3')).members['data']).toEqual({ v: '3' });
    });

    it.each<[string, unknown, string]>([
      ['no versions', {}, '/versions'],
      ['an empty list', { versions: [] }, '/versions'],
      ['a version that is no list', { versions: 1 }, '/versions'],
      ['version 0', { versions: [0] }, '/versions'],
      ['version -1', { versions: [-1] }, '/versions'],
      ['version 2^53', { versions: [2 ** 53] }, '/versions'],
      ['version 2^31', { versions: [2 ** 31] }, '/versions'],
      ['a fraction', { versions: [1.5] }, '/versions'],
      ['a version as text', { versions: ['1'] }, '/versions'],
      ['101 versions', { versions: Array.from({ length: 101 }, (_, index) => index + 1) }, '/versions'],
      ['an unknown field', { versions: [1], force: true }, '/force'],
    ])('refuses %s', async (_claim, body, pointer) => {
      await putVersions('careful', 1);
      for (const action of ['undelete', 'destroy']) {
        expect(badFields(await post(`careful/${action}`, body))).toEqual([pointer]);
      }
      expect((await get('careful?version=1')).status).toBe(200);
    });

    it.each([[undefined], [0], [-1], [2 ** 53], [2 ** 31], ['1'], [null], [[1]]])(
      'refuses to roll back to version %j',
      async (version) => {
        await putVersions('careful', 1);
        expect(badFields(await post('careful/rollback', { version }))).toEqual(['/version']);
      },
    );

    it('knows nothing of what was never written', async () => {
      expectProblem(await post('never/undelete', { versions: [1] }), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await post('never/destroy', { versions: [1] }), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await post('never/rollback', { version: 1 }), 'ERR_SECRET_NOT_FOUND');
    });
  });
});
