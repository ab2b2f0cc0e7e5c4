import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { type Account, newAccount, newAdmin, PASSWORD, signIn } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { beforeNext } from '../support/next-call.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

interface Ids {
  readonly contact: string;
  readonly grant: string;
}

describe("the deletion of one's account", () => {
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

    function remove(token: string, password: unknown = PASSWORD) {
      return app.request('DELETE', '/v1/users/me', { token, json: { password } });
    }

    async function newOwner(): Promise<Account & { readonly key: string }> {
      const account = await newAccount(app);
      const { token } = account;
      await app.post('/v1/contacts', { name: 'Ada', email: 'ada@example.com' }, token);
      await app.request('PUT', '/v1/secrets/db', { token, json: { data: { a: 'b' } } });
      await app.get(`/v1/users/${account.id}/public-key`, token);
      const scopes = ['contacts:read'];
      const key = await app.post('/v1/api-keys', { name: 'x', scopes }, token);
      return { ...account, key: key.string('key') };
    }

    function keysOf(ownerId: string) {
      return databaseOf(app)
        .query.selectFrom('keys')
        .select(['purpose', 'state', 'wrapped'])
        .where('owner_id', '=', ownerId)
        .execute();
    }

    it('needs the password, and is throttled', async () => {
      const { token } = await newAccount(app);
      for (let guess = 0; guess < 5; guess++) {
        expectProblem(await remove(token, `${PASSWORD}${guess}`), 'ERR_INVALID_CREDENTIALS');
      }
      expectProblem(await remove(token), 'ERR_INVALID_CREDENTIALS');
      app.clock.advance(1);
      expect((await remove(token)).status).toBe(204);
    });

    it('is kept from nobody by who guesses at their login', async () => {
      const { email, token } = await newAccount(app);
      for (let guess = 0; guess < 6; guess++) {
        const json = { email, password: `${PASSWORD}${guess}` };
        expectProblem(await app.post('/v1/auth/login', json), 'ERR_INVALID_CREDENTIALS');
      }
      expect((await remove(token)).status).toBe(204);
    });

    it('ends sessions and API keys at once here, and within a second on every other instance', async () => {
      const { email, token, refreshToken, key } = await newOwner();
      const second = await signIn(app, email);
      const bearers = [token, second.token, key];
      for (const bearer of bearers) {
        expect((await app.get('/v1/contacts', bearer)).status).toBe(200);
        expect((await other.get('/v1/contacts', bearer)).status).toBe(200);
      }
      expect((await remove(token)).status).toBe(204);
      for (const bearer of bearers) {
        expectProblem(await app.get('/v1/contacts', bearer), 'ERR_UNAUTHENTICATED');
      }
      app.clock.advance(1);
      for (const bearer of bearers) {
        expectProblem(await other.get('/v1/contacts', bearer), 'ERR_UNAUTHENTICATED');
      }
      expectProblem(await app.post('/v1/auth/refresh', { refreshToken }), 'ERR_INVALID_REFRESH_TOKEN');
    });

    /** Since the database was made; SQLite has none. */
    async function deadlocks(): Promise<number> {
      if (databaseOf(app).kind === 'sqlite') return 0;
      const stats = sql<{ deadlocks: number }>`
        select deadlocks from pg_stat_database where datname = current_database()
      `;
      const { rows } = await stats.execute(databaseOf(app).query);
      return rows[0]?.deadlocks ?? 0;
    }

    it('meets whatever they write at that moment: it is written or refused, and none waits for the other', async () => {
      const admin = await newAdmin(app);
      const before = await deadlocks();
      for (let round = 0; round < 3; round++) {
        const { token } = await newAccount(app);
        await app.request('PUT', '/v1/secrets/old', { token, json: { data: { v: 'x' } } });
        const writes = Array.from({ length: 15 }, async (_, index) => {
          const at = index % 2 ? app : other;
          const data = { v: 'x' };
          const put = (name: string) => at.request('PUT', `/v1/secrets/${name}`, { token, json: { data } });
          const [kind, write] = (
            [
              ['contact', () => at.post('/v1/contacts', { name: 'x', email: `${index}@example.com` }, token)],
              ['share', () => at.post('/v1/shares', { data, views: 1 }, token)],
              ['new secret', () => put(`s${index}`)],
              ['secret', () => put('old')],
              ['grant', () => at.post('/v1/secrets/old/grants', { userId: admin.id }, token)],
            ] as const
          )[index % 5]!;
          return `${kind} ${(await write()).status}`;
        });
        const [removed, ...statuses] = await Promise.all([
          remove(token).then(({ status }) => status),
          ...writes,
        ]);
        expect(removed).toBe(204);
        // The secret that a grant is of is gone with its owner.
        const isRight =
          /^(?:contact|share|new secret) (?:201|401)$|^secret (?:200|401)$|^grant (?:201|401|404)$/;
        expect(statuses.filter((status) => !isRight.test(status))).toEqual([]);
      }
      expect(await deadlocks()).toBe(before);
    });

    it.each<[string, (ids: Ids, owner: Account, admin: Account) => [string, string, string], number]>([
      ['their own account', (_ids, owner) => ['GET', '/v1/users/me', owner.token], 401],
      ['a contact', ({ contact }, owner) => ['GET', `/v1/contacts/${contact}`, owner.token], 401],
      ['contacts', (_ids, owner) => ['GET', '/v1/contacts', owner.token], 401],
      ['a secret', (_ids, owner) => ['GET', '/v1/secrets/db', owner.token], 401],
      ['a seed', (_ids, owner) => ['POST', '/v1/auth/totp', owner.token], 401],
      [
        'a secret they granted',
        ({ grant }, _owner, admin) => ['GET', `/v1/grants/${grant}`, admin.token],
        404,
      ],
      ['users', (_ids, owner, admin) => ['GET', `/v1/users?email=${owner.email}`, admin.token], 200],
    ])('meets whoever reads %s at that moment with no fault', async (_what, requestOf, status) => {
      const [owner, admin] = [await newOwner(), await newAdmin(app)];
      const [contact] = (await app.get('/v1/contacts', owner.token)).items;
      const grant = await app.post('/v1/secrets/db/grants', { userId: admin.id }, owner.token);
      const ids = { contact: String(contact?.['id']), grant: grant.string('id') };
      beforeNext(other.nest.get(CryptoService, { strict: false }), 'decrypt', async () => {
        expect((await remove(owner.token)).status).toBe(204);
        // What was read before is not remembered as long as that.
        app.clock.advance(2);
      });
      const [method, path, token] = requestOf(ids, owner, admin);
      const response = await other.request(method, path, { token });
      expect({ status: response.status, items: response.members['items'] ?? [] }).toEqual({
        status,
        items: [],
      });
    });

    it('asked for twice at once happens once, and to the other the account is gone', async () => {
      const { token } = await newAccount(app);
      const answers = await Promise.all([remove(token), remove(token)]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 401]));
    });

    it('is not done by a session that has ended on another instance', async () => {
      const { email, token } = await newAccount(app);
      expect((await other.get('/v1/users/me', token)).status).toBe(200);
      await app.request('POST', '/v1/auth/logout', { token });
      const json = { password: PASSWORD };
      expectProblem(await other.request('DELETE', '/v1/users/me', { token, json }), 'ERR_UNAUTHENTICATED');
      expect((await app.post('/v1/auth/login', { email, ...json })).status).toBe(200);
    });

    it('destroys every key of theirs, so that a backup of the rows stays closed too', async () => {
      const { id, token } = await newOwner();
      expect(new Set((await keysOf(id)).map(({ purpose }) => purpose))).toEqual(
        new Set(['user-kek', 'email', 'contacts', 'blind-index', 'secret', 'sealing']),
      );
      await remove(token);
      const left = await keysOf(id);
      expect(left.length).toBeGreaterThan(0);
      expect(left.filter(({ state, wrapped }) => state !== 'DESTROYED' || wrapped !== null)).toEqual([]);
    });

    it('leaves no row of theirs in any table but their dead keys and the audit log', async () => {
      const { id, email, token } = await newOwner();
      const neighbour = await newOwner();
      for (const address of [email, neighbour.email]) {
        await app.post('/v1/auth/login', { email: address, password: 'wrong' });
      }
      const passwords = { currentPassword: 'wrong', newPassword: `${PASSWORD}!` };
      await app.post('/v1/auth/password', passwords, token);
      await remove(token, 'wrong');
      const failure = { failures: 1, blocked_until: 0, failed_at: app.clock.nowMs() };
      for (const kind of ['totp', 'recovery-code'])
        await databaseOf(app).insert('attempt_failures', { kind, subject: `${id}/account`, ...failure });
      const before = await tablesNaming(id);
      expect(before).toEqual(
        expect.arrayContaining(['users', 'sessions', 'secrets', 'contacts', 'api_keys', 'attempt_failures']),
      );
      await remove(token);
      expect(await tablesNaming(id)).toEqual(['audit_events', 'keys']);
      expect(await tablesNaming(neighbour.id)).toContain('attempt_failures');
    });

    it('lets nothing be written for an account that is gone, nor itself be read, where its session counts for a moment longer', async () => {
      const { id, token } = await newOwner();
      const send = (method: string, path: string, json?: unknown) =>
        other.request(method, path, { token, ...(json === undefined ? {} : { json }) });
      expect((await send('GET', '/v1/contacts')).status).toBe(200);
      await remove(token);
      const publicKey = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }).x;
      const answers = [
        await send('GET', '/v1/users/me'),
        await send('POST', '/v1/contacts', { name: 'Eve', email: 'eve@example.com' }),
        await send('PUT', '/v1/secrets/late', { data: { a: 'b' } }),
        await send('POST', '/v1/shares', { data: { a: 'b' } }),
        await send('POST', '/v1/auth/totp'),
        await send('POST', '/v1/api-keys', { name: 'late', scopes: ['contacts:read'] }),
        await send('PUT', '/v1/users/me/public-key', { publicKey }),
        await send('POST', '/v1/auth/password', {
          currentPassword: PASSWORD,
          newPassword: `${PASSWORD}!`,
        }),
      ];
      for (const answer of answers) expectProblem(answer, 'ERR_UNAUTHENTICATED');
      expectProblem(await send('GET', `/v1/users/${id}/public-key`), 'ERR_NOT_FOUND');
      expect(await tablesNaming(id)).toEqual(['audit_events', 'keys']);
      expect((await keysOf(id)).filter(({ wrapped }) => wrapped !== null)).toEqual([]);
    });

    /** Every table with a column that holds the id of the user. */
    async function tablesNaming(userId: string): Promise<string[]> {
      const database = databaseOf(app);
      const tables = await database.query.introspection.getTables();
      const found: string[] = [];
      for (const { name } of tables) {
        const rows = await database.query
          .selectFrom(name as 'users')
          .selectAll()
          .execute();
        if (JSON.stringify(rows).includes(userId)) found.push(name);
      }
      return found.toSorted();
    }

    it('frees the e-mail address, whose next owner sees nothing of it', async () => {
      const { id, email, token } = await newOwner();
      await remove(token);
      const credentials = { email, password: PASSWORD };
      expectProblem(await app.post('/v1/auth/login', credentials), 'ERR_INVALID_CREDENTIALS');
      const registered = await app.post('/v1/auth/register', credentials);
      expect(registered.status).toBe(201);
      expect(registered.string('id')).not.toBe(id);
      const next = await signIn(app, email);
      expect((await app.get('/v1/contacts', next.token)).items).toEqual([]);
      expect((await app.get('/v1/secrets', next.token)).items).toEqual([]);
    });

    it('leaves events that name nobody but the id', async () => {
      const { id, email, token } = await newOwner();
      await remove(token, 'wrong');
      await remove(token);
      const events = await databaseOf(app)
        .query.selectFrom('audit_events')
        .selectAll()
        .where('action', '=', 'user.delete')
        .where('actor', '=', id)
        .orderBy('seq')
        .execute();
      expect(events.map(({ outcome }) => outcome)).toEqual(['failure', 'success']);
      expect(events[1]).toMatchObject({ actor: id, target: `user:${id}`, ip: null });
      expect(JSON.stringify(events)).not.toContain(email);
    });

    it('happens once when it is asked for 16 times at the same moment', async () => {
      const { token } = await newOwner();
      const answers = await Promise.all(Array.from({ length: 16 }, () => remove(token)));
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 204)).toHaveLength(1);
      expect(statuses.filter((status) => ![204, 401, 404].includes(status))).toEqual([]);
    });

    it('leaves other users alone', async () => {
      const [leaving, staying] = await Promise.all([newOwner(), newOwner()]);
      await remove(leaving.token);
      app.clock.advance(1);
      expect((await app.get('/v1/contacts', staying.token)).items).toHaveLength(1);
      expect((await app.get('/v1/contacts', staying.key)).status).toBe(200);
      expect((await app.get('/v1/secrets/db', staying.token)).members['data']).toEqual({ a: 'b' });
      expectProblem(await app.get(`/v1/users/${leaving.id}/public-key`, staying.token), 'ERR_NOT_FOUND');
    });
  });
});
