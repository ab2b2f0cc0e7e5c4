import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

describe('secrets', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    function put(name: string, body: object, headers: Record<string, string> = {}): Promise<HttpsResponse> {
      return app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, json: body, headers });
    }

    function get(path: string): Promise<HttpsResponse> {
      return app.get(`/v1/secrets/${path}`, owner.token);
    }

    function remove(path: string, headers: Record<string, string> = {}): Promise<HttpsResponse> {
      return app.request('DELETE', `/v1/secrets/${path}`, { token: owner.token, headers });
    }

    it('answers the first version with 201 and the next with 200, each with its place and tag', async () => {
      const first = await put('db.main.url', { data: { url: 'postgres://one' }, metadata: { team: 'a' } });
      const createdAt = app.clock.iso();
      app.clock.advance(1);
      const second = await put('db.main.url', { data: { url: 'postgres://two' } });
      const name = 'db.main.url';
      const metadata = { team: 'a' };
      expect(first.status).toBe(201);
      expect(first.headers).toMatchObject({ etag: '"1"', location: '/v1/secrets/db.main.url' });
      expect(first.body).toEqual({ name, version: 1, createdAt, expiresAt: null, metadata });
      expect(second.status).toBe(200);
      expect(second.headers).toMatchObject({ etag: '"2"' });
      expect(second.body).toEqual({
        name,
        version: 2,
        createdAt: app.clock.iso(),
        expiresAt: null,
        metadata,
      });
    });

    it('gives back the latest version or the one asked for', async () => {
      await put('versioned', { data: { v: 'one', more: '' } });
      await put('versioned', { data: { v: 'twö 🔑' }, metadata: { note: 'kept apart' } });
      const latest = await get('versioned');
      const expiresAt = null;
      const createdAt = app.clock.iso();
      const metadata = { note: 'kept apart' };
      const common = { name: 'versioned', createdAt, expiresAt, metadata };
      expect(latest.headers['etag']).toBe('"2"');
      expect(latest.body).toEqual({ ...common, version: 2, data: { v: 'twö 🔑' } });
      const first = await get('versioned?version=1');
      expect(first.headers['etag']).toBe('"1"');
      expect(first.body).toEqual({ ...common, version: 1, data: { v: 'one', more: '' } });
      expect((await get('versioned?version=2')).body).toEqual(latest.body);
      expectProblem(await get('versioned?version=3'), 'ERR_SECRET_NOT_FOUND');
    });

    it.each([
      ['0'],
      ['-1'],
      ['9007199254740992'],
      ['1e3'],
      ['0x10'],
      ['%2B1'],
      ['2147483648'],
      ['abc'],
      ['1.5'],
      [''],
      ['1,2'],
      ['1&version=2'],
    ])('refuses ?version=%s', async (version) => {
      await put('strict', { data: {} });
      expectProblem(await get(`strict?version=${version}`), 'ERR_VALIDATION');
    });

    it('does not know what was never written', async () => {
      expectProblem(await get('never'), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await get('never/versions'), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await remove('never'), 'ERR_SECRET_NOT_FOUND');
    });

    it("gives each owner a name space of their own, so a stranger's name is as unknown as any", async () => {
      const stranger = await newAccount(app);
      await put('shared.name', { data: { of: 'owner' } });
      const known = await app.get('/v1/secrets/shared.name', stranger.token);
      const unknown = await app.get('/v1/secrets/unknown.name', stranger.token);
      expect({ ...known.members, instance: '' }).toEqual({ ...unknown.members, instance: '' });
      const theirs = { token: stranger.token, json: { data: { of: 'stranger' } } };
      expect((await app.request('PUT', '/v1/secrets/shared.name', theirs)).status).toBe(201);
      expect((await get('shared.name')).members['data']).toEqual({ of: 'owner' });
    });

    it('lists the versions newest first', async () => {
      await put('history', { data: {}, expiresAt: app.clock.iso(60) });
      await put('history', { data: {} });
      await put('history', { data: {} });
      await remove('history?versions=2');
      const createdAt = app.clock.iso();
      const expiresAt = app.clock.iso(60);
      expect((await get('history/versions')).body).toEqual({
        items: [
          { version: 3, state: 'active', createdAt, expiresAt: null },
          { version: 2, state: 'deleted', createdAt, expiresAt: null },
          { version: 1, state: 'active', createdAt, expiresAt },
        ],
        nextCursor: null,
      });
      const page = await get('history/versions?limit=2');
      expect(page.items.map(({ version }) => version)).toEqual([3, 2]);
      const next = await get(`history/versions?limit=2&cursor=${page.string('nextCursor')}`);
      expect(next.items.map(({ version }) => version)).toEqual([1]);
      expect(next.members['nextCursor']).toBeNull();
    });

    it('soft-deletes the latest version, which is then gone and not unknown', async () => {
      await put('gone', { data: { v: '1' } });
      await put('gone', { data: { v: '2' } });
      const response = await remove('gone');
      expect({ status: response.status, text: response.text }).toEqual({ status: 204, text: '' });
      const problem = expectProblem(await get('gone'), 'ERR_SECRET_GONE');
      expect(problem['state']).toBe('deleted');
      expect(problem).not.toHaveProperty('data');
      expect((await get('gone?version=1')).status).toBe(200);
      expect((await put('gone', { data: { v: '3' } })).members['version']).toBe(3);
      expect((await get('gone')).members['data']).toEqual({ v: '3' });
    });

    it('soft-deletes the versions that are named, all or none', async () => {
      for (const v of ['1', '2', '3']) await put('some', { data: { v } });
      expectProblem(await remove('some?versions=1,9'), 'ERR_SECRET_NOT_FOUND');
      expect((await get('some?version=1')).status).toBe(200);
      expect((await remove('some?versions=1,2')).status).toBe(204);
      expect((await remove('some?versions=2')).status).toBe(204);
      for (const version of [1, 2]) expectProblem(await get(`some?version=${version}`), 'ERR_SECRET_GONE');
      expect((await get('some')).status).toBe(200);
    });

    it.each([
      ['0'],
      ['1,'],
      [',1'],
      ['1;2'],
      ['all'],
      ['1,-2'],
      ['2147483648'],
      [Array.from({ length: 101 }, (_, i) => i + 1).join(',')],
    ])('refuses ?versions=%s', async (versions) => {
      await put('careful', { data: {} });
      expectProblem(await remove(`careful?versions=${versions}`), 'ERR_VALIDATION');
      expect((await get('careful')).status).toBe(200);
    });

    it('lets a version expire at its time and keeps the others', async () => {
      await put('short', { data: { v: '1' } });
      const written = await put('short', { data: { v: '2' }, expiresAt: app.clock.iso(30) });
      expect(written.members['expiresAt']).toBe(app.clock.iso(30));
      app.clock.advance(29);
      expect((await get('short')).status).toBe(200);
      app.clock.advance(1);
      expect(expectProblem(await get('short'), 'ERR_SECRET_GONE')['state']).toBe('expired');
      expect((await get('short?version=1')).status).toBe(200);
      const listed = (await app.get('/v1/secrets?prefix=short', owner.token)).items;
      expect(listed).toMatchObject([{ name: 'short', version: 2, state: 'expired' }]);
    });
  });
});
