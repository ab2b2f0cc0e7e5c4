import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomToken } from '../../src/crypto/opaque-token.js';
import { newAccount, newAdmin, setDisabled } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { codeBlocksOf } from '../support/markdown.js';
import { badFields, expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const CONTACTS = ['contacts:read', 'contacts:write'];

describe('API keys', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let other: TestApp;
    beforeAll(async () => {
      app = await newApp();
      other = await app.newInstance();
    });
    afterAll(async () => {
      await other.close();
      await app.close();
    });

    function create(token: string, scopes: unknown = CONTACTS, more: object = {}) {
      return app.post('/v1/api-keys', { name: 'export', scopes, ...more }, token);
    }

    async function newKey(token: string, scopes?: readonly string[], more?: object): Promise<string> {
      return (await create(token, scopes, more)).string('key');
    }

    async function isGood(key: string, at = app): Promise<boolean> {
      const response = await at.get('/v1/contacts', key);
      if (response.status !== 200) expectProblem(response, 'ERR_UNAUTHENTICATED');
      return response.status === 200;
    }

    async function listed(token: string) {
      return (await app.get('/v1/api-keys', token)).items;
    }

    it('are shown once, and then only how they begin', async () => {
      const { token } = await newAccount(app);
      const { status, members, headers } = await create(token);
      expect(status).toBe(201);
      expect(headers['cache-control']).toBe('no-store');
      const { key, ...shown } = members;
      expect(key).toMatch(/^sask_[\w-]{49}$/);
      expect(shown).toEqual({
        id: expect.any(String),
        name: 'export',
        prefix: String(key).slice(0, 13),
        scopes: CONTACTS,
        createdAt: app.clock.iso(),
        expiresAt: null,
        lastUsedAt: null,
      });
      expect(await listed(token)).toEqual([shown]);
    });

    it('are stored as digests only', async () => {
      const { id, token } = await newAccount(app);
      const key = await newKey(token);
      const rows = await databaseOf(app)
        .query.selectFrom('api_keys')
        .selectAll()
        .where('user_id', '=', id)
        .execute();
      expect(rows).toHaveLength(1);
      expect(rows[0]?.digest).toHaveLength(32);
      expect(JSON.stringify(rows)).not.toContain(key.slice(14));
    });

    it('may do what they were made for and nothing else', async () => {
      const { token } = await newAccount(app);
      const key = await newKey(token, ['contacts:read']);
      expect((await app.get('/v1/contacts', key)).status).toBe(200);
      expectProblem(await app.post('/v1/contacts', { name: 'Ada' }, key), 'ERR_FORBIDDEN');
      expectProblem(await app.get('/v1/secrets', key), 'ERR_FORBIDDEN');
      expectProblem(await app.get('/v1/users/me', key), 'ERR_FORBIDDEN');
    });

    it('have a name without control and format characters that shows something', async () => {
      const { token } = await newAccount(app);
      const controls = ['a\0b', 'a\nb', '\u0085', 'a\u200bb', '\u202eabc', 'a\ufeff', 'a\u2066b'];
      const blanks = ['', ' ', '\u00a0', '\u3000', '\u200b', '\u200d', '\u2028', '\u3164'];
      for (const name of [...controls, ...blanks, 'x'.repeat(101)]) {
        expect([name, badFields(await create(token, CONTACTS, { name }))]).toEqual([name, ['/name']]);
      }
      for (const name of ['Kopie für Zoë 🗝', '👩\u200d👧', 'نسخة', '한글', '7']) {
        expect((await create(token, CONTACTS, { name })).status).toBe(201);
      }
    });

    it('reach what belongs to their user only', async () => {
      const [owner, stranger] = await Promise.all([newAccount(app), newAccount(app)]);
      const contact = await app.post('/v1/contacts', { name: 'Ada' }, owner.token);
      const path = `/v1/contacts/${contact.string('id')}`;
      expect((await app.get(path, await newKey(owner.token))).status).toBe(200);
      expectProblem(await app.get(path, await newKey(stranger.token)), 'ERR_CONTACT_NOT_FOUND');
    });

    it('never get a scope that their maker lacks, that is unknown, or that decides who else gets in', async () => {
      const { id, token } = await newAccount(app);
      expectProblem(await create(token, ['contacts:read', 'audit:read-any']), 'ERR_FORBIDDEN');
      const denials = await app.get('/v1/audit?action=access.denied', token);
      expect(denials.items).toEqual([
        expect.objectContaining({ actor: id, target: 'permission:audit:read-any', outcome: 'failure' }),
      ]);
      for (const scopes of [
        ['contacts:everything'],
        ['account:write'],
        ['api-keys:write'],
        ['sessions:write'],
        ['contacts:read', 'contacts:read'],
        [],
        ['toString'],
        'contacts:read',
        [7],
        null,
      ]) {
        expect(badFields(await create(token, scopes))).toEqual(['/scopes']);
      }
      expect(await listed(token)).toEqual([]);
      expect((await create((await newAdmin(app)).token, ['audit:read-any'])).status).toBe(201);
    });

    it('make no further keys, and need a login of the last five minutes to be made', async () => {
      const { token, refreshToken } = await newAccount(app);
      expectProblem(await create(await newKey(token)), 'ERR_FORBIDDEN');
      app.clock.advance(200);
      const refreshed = await app.post('/v1/auth/refresh', { refreshToken });
      app.clock.advance(101);
      expectProblem(await create(refreshed.string('accessToken')), 'ERR_STEP_UP_REQUIRED');
    });

    it('are dead at once where they are deleted, and within a second on every other instance', async () => {
      const { token } = await newAccount(app);
      const { members } = await create(token);
      const key = String(members['key']);
      expect([await isGood(key), await isGood(key, other)]).toEqual([true, true]);
      const path = `/v1/api-keys/${String(members['id'])}`;
      expect((await app.request('DELETE', path, { token })).status).toBe(204);
      expect(await isGood(key)).toBe(false);
      app.clock.advance(1);
      expect(await isGood(key, other)).toBe(false);
      expect(await listed(token)).toEqual([]);
      expectProblem(await app.request('DELETE', path, { token }), 'ERR_API_KEY_NOT_FOUND');
    });

    it("of somebody else can't be deleted", async () => {
      const [owner, stranger] = await Promise.all([newAccount(app), newAccount(app)]);
      const { members } = await create(owner.token);
      const path = `/v1/api-keys/${String(members['id'])}`;
      expectProblem(await app.request('DELETE', path, { token: stranger.token }), 'ERR_API_KEY_NOT_FOUND');
      expect(await isGood(String(members['key']))).toBe(true);
    });

    it('expire within the years that a time can be written for', async () => {
      const { token } = await newAccount(app);
      const expiring = (expiresAt: string) =>
        app.post('/v1/api-keys', { name: 'x', scopes: ['contacts:read'], expiresAt }, token);
      expect((await expiring('9999-12-31T23:59:59.999Z')).status).toBe(201);
      expect(badFields(await expiring('9999-12-31T23:59:59-00:01'))).toEqual(['/expiresAt']);
    });

    it('expire, at most a second late', async () => {
      const { token } = await newAccount(app);
      const expiresAt = app.clock.iso(60);
      const key = await newKey(token, CONTACTS, { expiresAt });
      app.clock.advance(59);
      expect(await isGood(key)).toBe(true);
      app.clock.advance(1);
      expect(await isGood(key)).toBe(false);
      expect(badFields(await create(token, CONTACTS, { expiresAt: app.clock.iso() }))).toEqual([
        '/expiresAt',
      ]);
    });

    it('are good for nothing within a second of their user being disabled', async () => {
      const { id, token } = await newAccount(app);
      const key = await newKey(token);
      expect(await isGood(key)).toBe(true);
      await setDisabled(app, id, 1);
      app.clock.advance(1);
      expect(await isGood(key)).toBe(false);
    });

    it('lose within a second what their user may no longer do', async () => {
      const { id, token } = await newAdmin(app);
      const victim = await newAccount(app);
      const key = await newKey(token, ['audit:read', 'audit:read-any']);
      const path = `/v1/audit?userId=${victim.id}`;
      expect((await app.get(path, key)).status).toBe(200);
      await databaseOf(app).query.updateTable('users').set({ roles: 'user' }).where('id', '=', id).execute();
      app.clock.advance(1);
      expectProblem(await app.get(path, key), 'ERR_FORBIDDEN');
    });

    it('remember their last use to the minute, at one write a minute', async () => {
      const { token } = await newAccount(app);
      const key = await newKey(token);
      const lastUse = async () => (await listed(token))[0]?.['lastUsedAt'];
      expect(await lastUse()).toBeNull();
      await isGood(key);
      const first = app.clock.iso();
      expect(await lastUse()).toBe(first);
      app.clock.advance(59);
      await isGood(key);
      expect(await lastUse()).toBe(first);
      app.clock.advance(2);
      await isGood(key);
      expect(await lastUse()).toBe(app.clock.iso());
    });

    it('that are unknown, cut, altered or of another kind are refused', async () => {
      const { token, refreshToken } = await newAccount(app);
      const key = await newKey(token);
      const last = key.endsWith('A') ? 'B' : 'A';
      for (const bearer of [
        randomToken('sask'),
        key.slice(0, -1),
        key.slice(0, -1) + last,
        `${key}A`,
        key.toUpperCase(),
        key.replace('sask_', 'sasr_'),
        'sask_',
        refreshToken,
      ]) {
        expect(await isGood(bearer)).toBe(false);
      }
    });

    it('are found by the expression in docs/auth.md, and other tokens are not', () => {
      const [expression = ''] = codeBlocksOf(readFileSync('docs/auth.md', 'utf8'), 'regexp');
      const scanner = new RegExp(expression.trimEnd(), 'g');
      const keys = Array.from({ length: 100 }, () => randomToken('sask'));
      const text = keys.map((key, index) => `KEY_${index}="${key}" ${key}\n`).join('');
      expect(text.match(scanner)).toEqual(keys.flatMap((key) => [key, key]));
      const [key] = keys;
      expect(JSON.stringify(`a\n${key}`).match(scanner)).toEqual([key]);
      expect(`${randomToken('sasr')} sask_short SASK_${'x'.repeat(49)}`.match(scanner)).toBeNull();
    });

    it('leave an audit event when they are made and when they are deleted', async () => {
      const { token } = await newAccount(app);
      const { members } = await create(token);
      await app.request('DELETE', `/v1/api-keys/${String(members['id'])}`, { token });
      const target = `api-key:${String(members['id'])}`;
      for (const action of ['api-key.create', 'api-key.delete']) {
        const { items } = await app.get(`/v1/audit?action=${action}`, token);
        expect(items).toEqual([expect.objectContaining({ action, target, outcome: 'success' })]);
      }
    });
  });
});
