import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Account, newAccount, newAdmin, newEmail, PASSWORD, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

describe('administrators', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let other: TestApp;
    let admin: Account;
    beforeAll(async () => {
      app = await newApp();
      other = await app.newInstance();
    });
    // A new one each time: tests move the clock, and a token lives for five minutes.
    beforeEach(async () => {
      admin = await newAdmin(app);
    });
    afterAll(async () => {
      await other.close();
      await app.close();
    });

    function update(id: string, json: unknown, token = admin.token) {
      return app.request('PATCH', `/v1/users/${id}`, { token, json });
    }

    async function isAlive(token: string, at = app): Promise<boolean> {
      const response = await at.get('/v1/users/me', token);
      if (response.status !== 200) expectProblem(response, 'ERR_UNAUTHENTICATED');
      return response.status === 200;
    }

    async function newKey(token: string, scopes = ['account:read']): Promise<string> {
      const apiKey = await app.post('/v1/api-keys', { name: 'x', scopes }, token);
      return apiKey.string('key');
    }

    it('find a user by their address, in any case, and see no more than who it is', async () => {
      const user = await newAccount(app);
      for (const email of [user.email, user.email.toUpperCase()]) {
        const { body } = await app.get(`/v1/users?email=${email}`, admin.token);
        expect(body).toEqual({
          items: [
            { id: user.id, email: user.email, roles: ['user'], createdAt: app.clock.iso(), disabled: false },
          ],
          nextCursor: null,
        });
      }
      const none = await app.get(`/v1/users?email=${newEmail()}`, admin.token);
      expect(none.body).toEqual({ items: [], nextCursor: null });
      expect(badFields(await app.get('/v1/users?email=x', admin.token))).toEqual(['/email']);
      expect(badFields(await app.get('/v1/users?role=admin', admin.token))).toEqual(['/role']);
    });

    it('page through all users', async () => {
      const users = await Promise.all([newAccount(app), newAccount(app), newAccount(app)]);
      const seen: unknown[] = [];
      let cursor: unknown = '';
      do {
        const query: string = cursor === '' ? '' : `&cursor=${String(cursor)}`;
        const page = await app.get(`/v1/users?limit=2${query}`, admin.token);
        expect(page.items.length).toBeLessThanOrEqual(2);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.members['nextCursor'];
      } while (cursor !== null);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining([admin.id, ...users.map(({ id }) => id)]));
    });

    it('disable a user: sessions, refresh tokens and API keys end on every instance within a second', async () => {
      const user = await newAccount(app);
      const key = await newKey(user.token);
      const bearers = [user.token, (await signIn(app, user.email)).token, key];
      for (const bearer of bearers) {
        expect([await isAlive(bearer), await isAlive(bearer, other)]).toEqual([true, true]);
      }
      const response = await update(user.id, { disabled: true });
      expect({ status: response.status, body: response.body }).toMatchObject({
        status: 200,
        body: { id: user.id, disabled: true, roles: ['user'] },
      });
      for (const bearer of bearers) expect(await isAlive(bearer)).toBe(false);
      app.clock.advance(1);
      for (const bearer of bearers) expect(await isAlive(bearer, other)).toBe(false);
      const { refreshToken } = user;
      expectProblem(await app.post('/v1/auth/refresh', { refreshToken }), 'ERR_INVALID_REFRESH_TOKEN');
      const credentials = { email: user.email, password: PASSWORD };
      expectProblem(await app.post('/v1/auth/login', credentials), 'ERR_INVALID_CREDENTIALS');

      expect((await update(user.id, { disabled: false })).members['disabled']).toBe(false);
      app.clock.advance(1);
      for (const bearer of bearers) expect(await isAlive(bearer)).toBe(false);
      expect(await isAlive((await signIn(app, user.email)).token)).toBe(true);
    });

    it('disable a user whose session makes an API key meanwhile, which is not made', async () => {
      const user = await newAccount(app);
      expect(await isAlive(user.token, other)).toBe(true);
      await update(user.id, { disabled: true });
      const json = { name: 'export', scopes: ['contacts:read'] };
      expectProblem(await other.post('/v1/api-keys', json, user.token), 'ERR_UNAUTHENTICATED');
      await update(user.id, { disabled: false });
      expect((await app.get('/v1/api-keys', (await signIn(app, user.email)).token)).items).toEqual([]);
    });

    it('change roles: what was signed in before is dead within a second, a new login has the new roles', async () => {
      const user = await newAccount(app);
      expect(await isAlive(user.token, other)).toBe(true);
      expect((await update(user.id, { roles: ['user', 'admin'] })).members['roles']).toEqual([
        'user',
        'admin',
      ]);
      app.clock.advance(1);
      expect([await isAlive(user.token), await isAlive(user.token, other)]).toEqual([false, false]);
      const promoted = await signIn(app, user.email);
      expect((await app.get('/v1/users', promoted.token)).status).toBe(200);
      const auditKey = await newKey(promoted.token, ['audit:read', 'audit:read-any']);
      const auditOf = `/v1/audit?userId=${admin.id}`;
      expect((await app.get(auditOf, auditKey)).status).toBe(200);
      await update(user.id, { roles: ['user'] });
      expectProblem(await app.get(auditOf, auditKey), 'ERR_FORBIDDEN');
      app.clock.advance(1);
      expect(await isAlive(promoted.token, other)).toBe(false);
      const demoted = await signIn(app, user.email);
      expectProblem(await app.get('/v1/users', demoted.token), 'ERR_FORBIDDEN');
    });

    it('change nobody once they were demoted, on an instance that has not heard of it either', async () => {
      const rogue = await newAdmin(app);
      expect(await isAlive(rogue.token, other)).toBe(true);
      await update(rogue.id, { roles: ['user'] });
      for (const { id } of [rogue, admin]) {
        const json = { roles: id === rogue.id ? ['user', 'admin'] : ['user'] };
        const refused = await other.request('PATCH', `/v1/users/${id}`, { token: rogue.token, json });
        expectProblem(refused, 'ERR_UNAUTHENTICATED');
      }
      const ended = await other.request('DELETE', `/v1/users/${admin.id}/sessions`, { token: rogue.token });
      expectProblem(ended, 'ERR_UNAUTHENTICATED');
      expect(await isAlive(admin.token)).toBe(true);
    });

    it('end the sessions of a user, who may sign in again', async () => {
      const user = await newAccount(app);
      const key = await newKey(user.token);
      expect(await isAlive(user.token, other)).toBe(true);
      const path = `/v1/users/${user.id}/sessions`;
      expect((await app.request('DELETE', path, { token: admin.token })).status).toBe(204);
      expect(await isAlive(user.token)).toBe(false);
      app.clock.advance(1);
      expect(await isAlive(user.token, other)).toBe(false);
      expect(await isAlive(key)).toBe(true);
      expect(await isAlive((await signIn(app, user.email)).token)).toBe(true);
    });

    it('change nothing by a change that is none, and end no session with it', async () => {
      const user = await newAccount(app);
      for (const json of [{}, { disabled: false }, { roles: ['user'] }]) {
        expect((await update(user.id, json)).status).toBe(200);
      }
      app.clock.advance(1);
      expect(await isAlive(user.token)).toBe(true);
    });

    it('give a user the same roles in another order, and change nothing by it', async () => {
      const user = await newAccount(app);
      const given = await update(user.id, { roles: ['admin', 'user'] });
      expect(given.members['roles']).toEqual(['user', 'admin']);
      const { token } = await signIn(app, user.email);
      for (const roles of [
        ['user', 'admin'],
        ['admin', 'user'],
      ]) {
        expect((await update(user.id, { roles })).members['roles']).toEqual(['user', 'admin']);
      }
      app.clock.advance(1);
      expect(await isAlive(token)).toBe(true);
      expect((await app.get('/v1/audit?action=user.roles', token)).items).toHaveLength(1);
    });

    it('are refused what is no change, and cannot set anything else', async () => {
      const user = await newAccount(app);
      for (const [field, value] of [
        ['roles', []],
        ['roles', ['root']],
        ['roles', ['user', 'user']],
        ['roles', 'admin'],
        ['roles', null],
        ['disabled', 'true'],
        ['disabled', null],
        ['email', 'x@example.com'],
        ['password', PASSWORD],
        ['id', admin.id],
      ] as const) {
        expect(badFields(await update(user.id, { [field]: value }))).toEqual([`/${field}`]);
      }
    });

    it('need a login of the last five minutes to change a user', async () => {
      const user = await newAccount(app);
      app.clock.advance(200);
      const refreshed = await app.post('/v1/auth/refresh', { refreshToken: admin.refreshToken });
      app.clock.advance(101);
      const token = refreshed.string('accessToken');
      expectProblem(await update(user.id, { disabled: true }, token), 'ERR_STEP_UP_REQUIRED');
      expect((await app.get('/v1/users', token)).status).toBe(200);
    });

    it('leave an event when they look users up, and so does whoever tries and may not', async () => {
      const user = await newAccount(app);
      await app.get('/v1/users', admin.token);
      const listings = await app.get('/v1/audit?action=user.list', admin.token);
      expect(listings.items).toEqual([expect.objectContaining({ actor: admin.id, outcome: 'success' })]);
      expectProblem(await app.get('/v1/users', user.token), 'ERR_FORBIDDEN');
      const denials = await app.get('/v1/audit?action=access.denied', user.token);
      expect(denials.items).toEqual([
        expect.objectContaining({ actor: user.id, target: 'permission:users:read', outcome: 'failure' }),
      ]);
    });

    it('leave an event that the user sees too', async () => {
      const user = await newAccount(app);
      await update(user.id, { roles: ['user', 'admin'], disabled: true });
      await update(user.id, { disabled: false, roles: ['user'] });
      await app.request('DELETE', `/v1/users/${user.id}/sessions`, { token: admin.token });
      const { token } = await signIn(app, user.email);
      for (const [action, count] of [
        ['user.roles', 2],
        ['user.disable', 1],
        ['user.enable', 1],
        ['user.end-sessions', 1],
      ] as const) {
        const { items } = await app.get(`/v1/audit?action=${action}`, token);
        expect(items).toEqual(
          Array.from({ length: count }, () =>
            expect.objectContaining({ action, target: `user:${user.id}`, outcome: 'success' }),
          ),
        );
      }
    });
  });
});

describe('the last administrator', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeEach(async () => {
      app = await newApp();
    });
    afterEach(() => app.close());

    const update = (id: string, token: string, json: unknown) =>
      app.request('PATCH', `/v1/users/${id}`, { token, json });

    it('can neither be disabled nor demoted nor delete their account', async () => {
      const { id, token } = await newAdmin(app);
      for (const json of [{ disabled: true }, { roles: ['user'] }]) {
        expectProblem(await update(id, token, json), 'ERR_LAST_ADMINISTRATOR');
      }
      const deletion = { token, json: { password: PASSWORD } };
      expectProblem(await app.request('DELETE', '/v1/users/me', deletion), 'ERR_LAST_ADMINISTRATOR');
      const { items } = await app.get('/v1/audit?action=user.delete', token);
      expect(items).toEqual([expect.objectContaining({ target: `user:${id}`, outcome: 'failure' })]);
      expect((await app.get('/v1/users', token)).status).toBe(200);

      const second = await newAdmin(app);
      expect((await update(second.id, token, { disabled: true })).status).toBe(200);
      expectProblem(await update(id, token, { roles: ['user'] }), 'ERR_LAST_ADMINISTRATOR');
    });

    it('stays, also when all of them delete their accounts at the same moment', async () => {
      const admins = await Promise.all(Array.from({ length: 4 }, () => newAdmin(app)));
      const answers = await Promise.all(
        admins.map(({ token }) =>
          app.request('DELETE', '/v1/users/me', { token, json: { password: PASSWORD } }),
        ),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 204, 204, 409]);
    });

    it('stays, also when administrators demote each other at the same moment', async () => {
      const admins = await Promise.all(Array.from({ length: 6 }, () => newAdmin(app)));
      const answers = await Promise.all(
        admins.map(({ token }, index) =>
          update(admins[(index + 1) % admins.length]!.id, token, { roles: ['user'] }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThan(admins.length);
      app.clock.advance(1);
      const logins = await Promise.all(admins.map(({ email }) => signIn(app, email)));
      const lists = await Promise.all(logins.map(({ token }) => app.get('/v1/users', token)));
      expect(lists.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
    });
  });
});
