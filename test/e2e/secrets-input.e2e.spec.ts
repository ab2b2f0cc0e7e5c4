import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const LIMIT_BYTES = 64 * 1024;

describe('what a secret may be', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    function put(name: string, json: unknown): Promise<HttpsResponse> {
      return app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, json });
    }

    function putRaw(name: string, raw: string): Promise<HttpsResponse> {
      const headers = { 'content-type': 'application/json' };
      return app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, raw, headers });
    }

    it.each([
      ['a'],
      ['0'],
      ['A.b_c-D'],
      ['db.main.url'],
      ['a..b'],
      ['constructor'],
      ['versions'],
      ['x'.repeat(128)],
    ])('takes the name %s', async (name) => {
      expect((await put(name, { data: { name } })).status).toBe(201);
      expect((await app.get(`/v1/secrets/${name}`, owner.token)).members).toMatchObject({
        name,
        data: { name },
      });
    });

    it('knows a name by its percent-encoded spelling too', async () => {
      await put('spelled', { data: { v: '1' } });
      expect((await app.get('/v1/secrets/%73pelled', owner.token)).members['name']).toBe('spelled');
    });

    it.each([
      ['x'.repeat(129)],
      ['a%2fb'],
      ['%00'],
      ['a%00'],
      ['%2e%2e'],
      ['..'],
      ['.a'],
      ['_a'],
      ['-a'],
      ['a%20b'],
      ['%C3%A4'],
      ['%D0%B0dmin'],
      ['a%EF%BC%8Eb'],
      ['a%E2%80%8Bb'],
      ['a%0a'],
      ['a:b'],
      ['a@b'],
    ])('refuses the name %s', async (name) => {
      for (const response of [
        await put(name, { data: {} }),
        await app.get(`/v1/secrets/${name}`, owner.token),
        await app.get(`/v1/secrets/${name}/versions`, owner.token),
        await app.request('DELETE', `/v1/secrets/${name}`, { token: owner.token }),
      ]) {
        expect(badFields(response)).toEqual(['/name']);
      }
    });

    it.each([['%2e%2e/..'], ['a/b'], ['a/'], ['']])('knows no secret at the path %s', async (path) => {
      expect((await put(path, { data: {} })).status).toBe(404);
    });

    it('keeps keys that JavaScript has a meaning for', async () => {
      const data = {
        constructor: 'c',
        toString: 't',
        hasOwnProperty: 'h',
        valueOf: '',
        length: '1',
        '': 'x',
      };
      const { '': _empty, ...kept } = data;
      await put('meaningful', { data: kept, metadata: kept });
      const { members } = await app.get('/v1/secrets/meaningful', owner.token);
      expect(JSON.stringify(members['data'])).toBe(JSON.stringify(kept));
      expect(JSON.stringify(members['metadata'])).toBe(JSON.stringify(kept));
      expect(badFields(await put('meaningful', { data }))).toEqual(['/data/']);
    });

    it.each([
      ['{"data":{"__proto__":"x"}}'],
      ['{"data":{},"__proto__":{"polluted":"yes"}}'],
      ['{"data":{},"metadata":{"__proto__":"x"}}'],
      ['{"data":{},"constructor":{"prototype":{"polluted":"yes"}}}'],
    ])('refuses %s, which could change every object', async (raw) => {
      expect((await putRaw('polluting', raw)).status).toBe(400);
      expectProblem(await app.get('/v1/secrets/polluting', owner.token), 'ERR_SECRET_NOT_FOUND');
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    });

    it('takes a body of 64 KiB and not one byte more', async () => {
      const frame = '{"data":{"v":""}}'.length;
      const fits = await put('large', { data: { v: 'x'.repeat(LIMIT_BYTES - frame) } });
      expect(fits.status).toBe(201);
      expectProblem(
        await put('large', { data: { v: 'x'.repeat(LIMIT_BYTES - frame + 1) } }),
        'ERR_BODY_TOO_LARGE',
      );
      const { members } = await app.get('/v1/secrets/large', owner.token);
      expect(members['data']).toEqual({ v: 'x'.repeat(LIMIT_BYTES - frame) });
    });

    it.each<[string, unknown, string]>([
      ['no data', {}, '/data'],
      ['data that is text', { data: 'x' }, '/data'],
      ['data that is null', { data: null }, '/data'],
      ['data that is a list', { data: ['x'] }, '/data'],
      ['a value that is a number', { data: { a: 1 } }, '/data/a'],
      ['a value that is null', { data: { a: null } }, '/data/a'],
      ['a value that is an object', { data: { a: {} } }, '/data/a'],
      ['a key of 201 characters', { data: { ['k'.repeat(201)]: 'x' } }, `/data/${'k'.repeat(201)}`],
      [
        '101 entries',
        { data: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, ''])) },
        '/data',
      ],
      ['metadata that is null', { data: {}, metadata: null }, '/metadata'],
      ['metadata that nests', { data: {}, metadata: { a: {} } }, '/metadata/a'],
      ['casRequired that is text', { data: {}, casRequired: 'true' }, '/casRequired'],
      ['an expiry that is no time', { data: {}, expiresAt: 'tomorrow' }, '/expiresAt'],
      ['an expiry that is a number', { data: {}, expiresAt: 2_000_000_000 }, '/expiresAt'],
      ['an expiry without a time zone', { data: {}, expiresAt: '2040-01-01T00:00:00' }, '/expiresAt'],
      ['an expiry on a day that is not', { data: {}, expiresAt: '2040-02-30T00:00:00Z' }, '/expiresAt'],
      ['an expiry in the past', { data: {}, expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
      ['an unknown field', { data: {}, ttl: 60 }, '/ttl'],
    ])('refuses %s and names the field', async (_claim, body, pointer) => {
      expect(badFields(await put('picky', body))).toEqual([pointer]);
    });

    it('points at every bad entry, beside other bad fields, and repeats no value', async () => {
      const refused = await put('picky', {
        data: { good: 'x', 'a/b~c': 90_210, n: null },
        expiresAt: 'soon',
      });
      expect(badFields(refused)).toEqual(['/data/a~1b~0c', '/data/n', '/expiresAt']);
      expect(refused.text).not.toContain('90210');
    });
  });
});
