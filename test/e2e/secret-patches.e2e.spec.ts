import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const RACERS = 32;
const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' };

describe('merge patches of secrets', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    function put(name: string, json: object, headers: Record<string, string> = {}): Promise<HttpsResponse> {
      return app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, json, headers });
    }

    function patch(path: string, body: unknown, headers: object = {}): Promise<HttpsResponse> {
      const raw = JSON.stringify(body);
      const sent = { token: owner.token, raw, headers: { ...MERGE_PATCH, ...headers } };
      return app.request('PATCH', `/v1/secrets/${path}`, sent);
    }

    function get(path: string): Promise<HttpsResponse> {
      return app.get(`/v1/secrets/${path}`, owner.token);
    }

    describe('of the data', () => {
      it('set, replace and remove members and make the next version', async () => {
        await put('login', { data: { user: 'ada', password: 'one', old: 'x' }, metadata: { team: 'a' } });
        const response = await patch('login', { password: 'two', old: null, absent: null, host: 'db' });
        expect(response.status).toBe(200);
        expect(response.headers).toMatchObject({ etag: '"2"', location: '/v1/secrets/login' });
        expect(response.members).toMatchObject({ name: 'login', version: 2, metadata: { team: 'a' } });
        expect(response.members).not.toHaveProperty('data');
        const { members } = await get('login');
        expect(members['data']).toEqual({ user: 'ada', password: 'two', host: 'db' });
        expect((await get('login?version=1')).members['data']).toMatchObject({ password: 'one', old: 'x' });
      });

      it('may be the patch of the whole, as long as it is of the data only', async () => {
        await put('whole', { data: { a: '1', b: '2' } });
        expect((await patch('whole', { data: { a: null, c: '3' } })).status).toBe(200);
        expect((await get('whole')).members['data']).toEqual({ b: '2', c: '3' });
        expect(badFields(await patch('whole', { data: { a: '1' }, metadata: {} }))).toEqual([
          '/data',
          '/metadata',
        ]);
        expect(badFields(await patch('whole', { data: { a: 1 } }))).toEqual(['/data/a']);
        expect((await patch('whole', { data: 'a member of this name' })).status).toBe(200);
        expect((await get('whole')).members['data']).toMatchObject({ data: 'a member of this name' });
      });

      it('keep the time at which the version they change expires', async () => {
        await put('expiring', { data: { a: '1' }, expiresAt: app.clock.iso(60) });
        expect((await patch('expiring', { a: '2' })).members['expiresAt']).toBe(app.clock.iso(60));
        app.clock.advance(60);
        expect(expectProblem(await patch('expiring', { a: '3' }), 'ERR_SECRET_GONE')['state']).toBe(
          'expired',
        );
      });

      it('need a version that can be read', async () => {
        expectProblem(await patch('never', { a: '1' }), 'ERR_SECRET_NOT_FOUND');
        await put('deleted', { data: { a: '1' } });
        await app.request('DELETE', '/v1/secrets/deleted', { token: owner.token });
        expect(expectProblem(await patch('deleted', { a: '2' }), 'ERR_SECRET_GONE')['state']).toBe('deleted');
      });

      it('hold to If-Match and to casRequired', async () => {
        await put('guarded', { data: { a: '1' }, casRequired: true });
        expectProblem(await patch('guarded', { a: '2' }), 'ERR_PRECONDITION_REQUIRED');
        expectProblem(await patch('guarded', { a: '2' }, { 'if-match': '"2"' }), 'ERR_PRECONDITION_FAILED');
        expect((await patch('guarded', { a: '2' }, { 'if-match': '"1"' })).status).toBe(200);
      });

      it('do not make the data larger than a body could have', async () => {
        await put('growing', { data: { a: 'x'.repeat(40_000) } });
        expectProblem(await patch('growing', { b: 'x'.repeat(40_000) }), 'ERR_BODY_TOO_LARGE');
        expect((await patch('growing', { a: null, b: 'x'.repeat(40_000) })).status).toBe(200);
      });

      it('do not make more entries than a secret can have', async () => {
        const data = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, '']));
        await put('full', { data });
        expect(badFields(await patch('full', { more: '' }))).toEqual(['']);
        expect((await patch('full', { more: '', k0: null })).status).toBe(200);
      });

      it(`let exactly one of ${RACERS} racing on one version succeed`, async () => {
        await put('raced', { data: {} });
        const responses = await Promise.all(
          Array.from({ length: RACERS }, (_, racer) =>
            patch('raced', { racer: String(racer) }, { 'if-match': '"1"' }),
          ),
        );
        expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
        expect(responses.filter(({ status }) => status === 412)).toHaveLength(RACERS - 1);
      });

      it(`lose none of ${RACERS} that race without a condition`, async () => {
        await put('merged', { data: {} });
        await Promise.all(
          Array.from({ length: RACERS }, (_, racer) => patch('merged', { [`k${racer}`]: '' })),
        );
        const { members } = await get('merged');
        expect(members['version']).toBe(RACERS + 1);
        expect(Object.keys(members['data'] as object)).toHaveLength(RACERS);
      });
    });

    describe('of the metadata', () => {
      it('make no version and change the entity tag all the same', async () => {
        await put('noted', { data: { v: '1' }, metadata: { team: 'a', old: 'x' } });
        app.clock.advance(1);
        const response = await patch('noted/metadata', { team: 'b', old: null }, { 'if-match': '"1"' });
        expect(response.status).toBe(200);
        expect(response.headers['etag']).toBe('"1.1"');
        const updatedAt = app.clock.iso();
        expect(response.body).toEqual({ name: 'noted', version: 1, metadata: { team: 'b' }, updatedAt });
        const read = await get('noted');
        expect(read.headers['etag']).toBe('"1.1"');
        expect(read.members).toMatchObject({ version: 1, data: { v: '1' }, metadata: { team: 'b' } });
        expectProblem(
          await patch('noted/metadata', { team: 'c' }, { 'if-match': '"1"' }),
          'ERR_PRECONDITION_FAILED',
        );
        expect((await patch('noted/metadata', {}, { 'if-match': '"1.1"' })).headers['etag']).toBe('"1.2"');
      });

      it('leave a write of the data alone that knows the version, but not one that replaces the metadata', async () => {
        await put('apart', { data: { v: '1' } });
        await patch('apart/metadata', { team: 'b' });
        const replacing = { data: { v: '2' }, metadata: { team: 'c' } };
        expectProblem(await put('apart', replacing, { 'if-match': '"1"' }), 'ERR_PRECONDITION_FAILED');
        const next = await put('apart', { data: { v: '2' } }, { 'if-match': '"1"' });
        expect(next.headers['etag']).toBe('"2"');
        expect(next.members['metadata']).toEqual({ team: 'b' });
        expectProblem(await patch('apart', { v: '3' }, { 'if-match': '"1.1"' }), 'ERR_PRECONDITION_FAILED');
      });

      it('demand a condition where casRequired was set', async () => {
        await put('strict', { data: {}, casRequired: true });
        expectProblem(await patch('strict/metadata', { a: 'b' }), 'ERR_PRECONDITION_REQUIRED');
        expect((await patch('strict/metadata', { a: 'b' }, { 'if-match': '"1"' })).status).toBe(200);
      });

      it('keep the metadata of a version that can not be read', async () => {
        await put('lost', { data: {} });
        await app.request('DELETE', '/v1/secrets/lost', { token: owner.token });
        expect((await patch('lost/metadata', { why: 'leaked' })).status).toBe(200);
        expect((await app.get('/v1/secrets?prefix=lost', owner.token)).items).toMatchObject([
          { state: 'deleted', metadata: { why: 'leaked' } },
        ]);
        expectProblem(await patch('never/metadata', {}), 'ERR_SECRET_NOT_FOUND');
      });

      it('are bounded in size', async () => {
        await put('wide', { data: {}, metadata: { a: 'x'.repeat(40_000) } });
        expectProblem(await patch('wide/metadata', { b: 'x'.repeat(40_000) }), 'ERR_BODY_TOO_LARGE');
      });

      it(`let exactly one of ${RACERS} racing on one tag succeed`, async () => {
        await put('raced.metadata', { data: {} });
        const responses = await Promise.all(
          Array.from({ length: RACERS }, (_, racer) =>
            patch('raced.metadata/metadata', { racer: String(racer) }, { 'if-match': '"1"' }),
          ),
        );
        const winner = responses.findIndex(({ status }) => status === 200);
        expect(responses.filter(({ status }) => status === 412)).toHaveLength(RACERS - 1);
        expect((await get('raced.metadata')).members['metadata']).toEqual({ racer: String(winner) });
      });
    });

    describe.each(['picky', 'picky/metadata'])('at %s', (path) => {
      it.each<[unknown, string]>([
        [{ a: 1 }, '/a'],
        [{ a: {} }, '/a'],
        [{ a: ['x'] }, '/a'],
        [{ 'a/b~c': true }, '/a~1b~0c'],
        [{ '': 'x' }, '/'],
        [{ ['k'.repeat(201)]: 'x' }, `/${'k'.repeat(201)}`],
        [[], ''],
        [null, ''],
        ['x', ''],
        [1, ''],
      ])('refuse %j', async (body, pointer) => {
        await put('picky', { data: {} });
        expect(badFields(await patch(path, body))).toEqual([pointer]);
      });

      it('are the only media type that is taken', async () => {
        await put('picky', { data: {} });
        for (const type of ['application/json', 'text/plain', 'application/json-patch+json']) {
          const response = await patch(path, { a: 'b' }, { 'content-type': type });
          expectProblem(response, 'ERR_UNSUPPORTED_MEDIA_TYPE');
        }
        const withCharset = { 'content-type': 'Application/Merge-Patch+JSON; charset=utf-8' };
        expect((await patch(path, { a: 'b' }, withCharset)).status).toBe(200);
      });

      it('are parsed as strictly as any JSON', async () => {
        await put('picky', { data: {} });
        for (const raw of ['{"a":', '{"__proto__":"x"}', '{"__proto__":null}']) {
          const sent = { token: owner.token, raw, headers: MERGE_PATCH };
          expectProblem(await app.request('PATCH', `/v1/secrets/${path}`, sent), 'ERR_MALFORMED_REQUEST');
        }
      });
    });

    it('are taken nowhere else', async () => {
      const sent = { token: owner.token, raw: '{"data":{}}', headers: MERGE_PATCH };
      expectProblem(await app.request('PUT', '/v1/secrets/other', sent), 'ERR_UNSUPPORTED_MEDIA_TYPE');
      expectProblem(await app.request('POST', '/v1/contacts', sent), 'ERR_UNSUPPORTED_MEDIA_TYPE');
    });
  });
});
