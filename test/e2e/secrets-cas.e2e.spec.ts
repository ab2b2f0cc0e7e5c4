import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const RACERS = 32;

describe('compare-and-set of secrets', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    function put(
      name: string,
      headers: Record<string, string> = {},
      body: object = { data: { v: '1' } },
    ): Promise<HttpsResponse> {
      return app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, json: body, headers });
    }

    function remove(name: string, ifMatch: string): Promise<HttpsResponse> {
      const exchange = { token: owner.token, headers: { 'if-match': ifMatch } };
      return app.request('DELETE', `/v1/secrets/${name}`, exchange);
    }

    async function latestVersion(name: string): Promise<unknown> {
      return (await app.get(`/v1/secrets/${name}`, owner.token)).members['version'];
    }

    it('writes under If-Match only the version that follows the named one', async () => {
      await put('tagged');
      expect((await put('tagged', { 'if-match': '"1"' })).headers['etag']).toBe('"2"');
      for (const stale of ['"1"', '"3"', 'W/"2"', '2', '""', '"02"', 'x']) {
        expectProblem(await put('tagged', { 'if-match': stale }), 'ERR_PRECONDITION_FAILED');
      }
      expect((await put('tagged', { 'if-match': '"7", "2"' })).status).toBe(200);
      expect((await put('tagged', { 'if-match': '*' })).status).toBe(200);
      expect(await latestVersion('tagged')).toBe(4);
    });

    it('writes a secret that is not there only without If-Match', async () => {
      expectProblem(await put('absent', { 'if-match': '"1"' }), 'ERR_PRECONDITION_FAILED');
      expectProblem(await put('absent', { 'if-match': '*' }), 'ERR_PRECONDITION_FAILED');
      expect((await put('absent', { 'if-none-match': '*' })).status).toBe(201);
    });

    it('writes under If-None-Match: * only what is not there', async () => {
      expect((await put('fresh', { 'if-none-match': '*' })).status).toBe(201);
      expectProblem(await put('fresh', { 'if-none-match': '*' }), 'ERR_PRECONDITION_FAILED');
      expectProblem(await put('fresh', { 'if-none-match': '"9"' }), 'ERR_PRECONDITION_FAILED');
      expect(await latestVersion('fresh')).toBe(1);
    });

    it('demands a condition from the second write on where casRequired was set', async () => {
      const data = { v: '1' };
      expect((await put('guarded', {}, { data, casRequired: true })).status).toBe(201);
      expectProblem(await put('guarded'), 'ERR_PRECONDITION_REQUIRED');
      expect((await put('guarded', { 'if-match': '"1"' })).status).toBe(200);
      expectProblem(await put('guarded', {}, { data, casRequired: false }), 'ERR_PRECONDITION_REQUIRED');
      expect((await put('guarded', { 'if-match': '"2"' }, { data, casRequired: false })).status).toBe(200);
      expect((await put('guarded')).members['version']).toBe(4);
    });

    it('reads under If-Match only what is at that version, and notes no read of what it keeps', async () => {
      await put('read');
      await put('read');
      const get = (path: string, ifMatch: string) =>
        app.request('GET', `/v1/secrets/${path}`, { token: owner.token, headers: { 'if-match': ifMatch } });
      expect((await get('read', '"2"')).members['version']).toBe(2);
      expect((await get('read?version=1', '"1"')).members['version']).toBe(1);
      expect((await get('read', '*')).status).toBe(200);
      for (const refused of [
        await get('read', '"1"'),
        await get('read?version=1', '"2"'),
        await get('read', 'W/"2"'),
      ])
        expectProblem(refused, 'ERR_PRECONDITION_FAILED');
      const { items } = await app.get('/v1/audit?action=secret.read', owner.token);
      expect(items.filter(({ target }) => String(target).startsWith('secret:read#'))).toHaveLength(3);
    });

    it('deletes under If-Match only while the secret is at that version', async () => {
      await put('kept');
      expectProblem(await remove('kept', '"2"'), 'ERR_PRECONDITION_FAILED');
      expect(await latestVersion('kept')).toBe(1);
      expect((await remove('kept', '"1"')).status).toBe(204);
    });

    it(`lets exactly one of ${RACERS} racing writers of one version succeed`, async () => {
      await put('raced');
      const bodies = Array.from({ length: RACERS }, (_, writer) => ({ data: { writer: String(writer) } }));
      const responses = await Promise.all(bodies.map((body) => put('raced', { 'if-match': '"1"' }, body)));
      const winner = responses.findIndex(({ status }) => status === 200);
      const losers = responses.filter((_, writer) => writer !== winner);
      for (const loser of losers) expectProblem(loser, 'ERR_PRECONDITION_FAILED');
      const { members } = await app.get('/v1/secrets/raced', owner.token);
      expect(members).toMatchObject({ version: 2, data: { writer: String(winner) } });
    });

    it(`lets exactly one of ${RACERS} racing writers make a secret`, async () => {
      const responses = await Promise.all(
        Array.from({ length: RACERS }, () => put('raced.first', { 'if-none-match': '*' })),
      );
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 412)).toHaveLength(RACERS - 1);
    });

    it(`gives ${RACERS} racing writers without a condition a version each`, async () => {
      const responses = await Promise.all(Array.from({ length: RACERS }, () => put('raced.blind')));
      const versions = new Set(responses.map(({ members }) => members['version']));
      expect(versions).toEqual(new Set(Array.from({ length: RACERS }, (_, index) => index + 1)));
    });

    it('lets one of racing writers on two instances succeed', async () => {
      await put('raced.apart');
      const other = await app.newInstance();
      const exchange = { token: owner.token, json: { data: {} }, headers: { 'if-match': '"1"' } };
      const responses = await Promise.all(
        Array.from({ length: RACERS }, (_, index) =>
          (index % 2 === 0 ? app : other).request('PUT', '/v1/secrets/raced.apart', exchange),
        ),
      );
      await other.close();
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => status === 412)).toHaveLength(RACERS - 1);
    });
  });
});
