import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount, newAdmin, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const RACERS = 16;
const ROUNDS = 3;

/**
 * The clock stands still, so the other instance takes the session for alive all the time: only what is decided in the
 * transaction keeps a key from being made.
 */
describe('of 16 API keys that are made on another instance at the same moment, none is left or made later', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let other: TestApp;
    let admin: Account;
    beforeAll(async () => {
      app = await newApp();
      other = await app.newInstance();
      admin = await newAdmin(app);
    });
    afterAll(async () => {
      await other.close();
      await app.close();
    });

    const patch = (id: string, json: unknown) =>
      app.request('PATCH', `/v1/users/${id}`, { token: admin.token, json });

    async function actions(userId: string): Promise<string[]> {
      const rows = await databaseOf(app)
        .query.selectFrom('audit_events')
        .select('action')
        .where((where) => where.or([where('actor', '=', userId), where('target', '=', `user:${userId}`)]))
        .orderBy('seq')
        .execute();
      return rows.map(({ action }) => action);
    }

    /** Each racer goes on until the end is answered, and once more. @returns what followed it */
    async function race(
      { id, token }: Account,
      scopes: readonly string[],
      endAction: string,
      end: () => Promise<HttpsResponse>,
    ): Promise<string[]> {
      expect((await other.get('/v1/api-keys', token)).status).toBe(200);
      const answers: HttpsResponse[] = [];
      const ending = new AbortController();
      const create = async () => {
        answers.push(await other.post('/v1/api-keys', { name: 'racer', scopes }, token));
      };
      const racers = Array.from({ length: RACERS }, async () => {
        while (!ending.signal.aborted) await create();
        await create();
      });
      const answer = await end().finally(() => ending.abort());
      await Promise.all(racers);
      expect([200, 204]).toContain(answer.status);
      const made = answers.filter(({ status }) => status === 201);
      const refused = answers.filter(({ status }) => status === 401);
      expect(refused.length).toBeGreaterThanOrEqual(RACERS);
      expect(made.length + refused.length).toBe(answers.length);
      const all = await actions(id);
      expect(all.filter((action) => action === 'api-key.create')).toHaveLength(made.length);
      expect(all).toContain(endAction);
      return all.slice(all.indexOf(endAction) + 1);
    }

    async function keysOf({ id }: Account): Promise<unknown[]> {
      const keys = databaseOf(app).query.selectFrom('api_keys').select('scopes').where('user_id', '=', id);
      return keys.execute();
    }

    it('when their user is disabled', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const user = await newAccount(app);
        const later = await race(user, ['contacts:read'], 'user.disable', () =>
          patch(user.id, { disabled: true }),
        );
        expect(later).toEqual([]);
        expect(await keysOf(user)).toEqual([]);
      }
    });

    it('when their session ends', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const user = await newAccount(app);
        const later = await race(user, ['contacts:read'], 'auth.logout', () =>
          app.request('POST', '/v1/auth/logout', { token: user.token }),
        );
        expect(later).toEqual([]);
      }
    });

    it('when their user loses the role that has the scope', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const user = await newAdmin(app);
        const later = await race(user, ['audit:read-any'], 'user.roles', () =>
          patch(user.id, { roles: ['user'] }),
        );
        expect(later).toEqual([]);
      }
    });

    it('when their user deletes the account', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const user = await newAccount(app);
        const { token } = user;
        const json = { password: PASSWORD };
        const later = await race(user, ['contacts:read'], 'user.delete', () =>
          app.request('DELETE', '/v1/users/me', { token, json }),
        );
        expect(later).toEqual([]);
        expect(await keysOf(user)).toEqual([]);
      }
    });
  });
});
