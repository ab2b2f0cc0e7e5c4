import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { Database } from '../../src/database/database.js';
import { newAccount } from '../support/accounts.js';
import { readToken } from '../support/forge-token.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const ISSUER = 'https://issuer.example.test';
const AUDIENCE = 'https://audience.example.test';
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('access tokens', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    it('say exactly what the contract says', async () => {
      const account = await newAccount(app);
      const { header, payload } = readToken(account.token);
      const { nowSeconds } = app.clock;
      expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.stringMatching(/^[0-9a-f]{16}$/) });
      expect(payload).toEqual({
        iss: ISSUER,
        aud: AUDIENCE,
        sub: account.id,
        iat: nowSeconds,
        nbf: nowSeconds,
        exp: nowSeconds + 300,
        jti: expect.stringMatching(UUID_V7),
        sid: expect.stringMatching(UUID_V7),
        roles: ['user'],
        amr: ['pwd'],
        auth_time: nowSeconds,
      });
    });

    it('keep the time and method of the login through a refresh, and get a new jti', async () => {
      const { token, refreshToken } = await newAccount(app);
      app.clock.advance(60);
      const refreshed = await app.post('/v1/auth/refresh', { refreshToken });
      const before = readToken(token).payload;
      const after = readToken(refreshed.string('accessToken')).payload;
      expect(after).toMatchObject({ sid: before['sid'], auth_time: before['auth_time'], amr: ['pwd'] });
      expect(after['jti']).not.toBe(before['jti']);
      expect(after['iat']).toBe(app.clock.nowSeconds);
    });

    it('are refused a second after their key was disabled, also where they were verified before', async () => {
      const { token } = await newAccount(app);
      expect((await app.get('/v1/users/me', token)).status).toBe(200);
      const { kid } = readToken(token).header;
      await app.nest
        .get(Database, { strict: false })
        .query.updateTable('keys')
        .set({ state: 'DISABLED' })
        .where('id', '=', String(kid))
        .execute();
      app.clock.advance(1);
      expectProblem(await app.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
      const { token: next } = await newAccount(app);
      expect((await app.get('/v1/users/me', next)).status).toBe(200);
    });

    it('verify under the published key set with another implementation', async () => {
      const { token } = await newAccount(app);
      const { body, headers } = await app.get('/.well-known/jwks.json');
      expect(headers['cache-control']).toBe('public, max-age=60');
      const { keys } = body as JSONWebKeySet;
      for (const key of keys)
        expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      const { payload } = await jwtVerify(token, createLocalJWKSet({ keys }), {
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        currentDate: new Date(app.clock.nowMs()),
      });
      expect(payload['sid']).toEqual(expect.stringMatching(UUID_V7));
    });

    it('expire after five minutes, at most five seconds late', async () => {
      const { token } = await newAccount(app);
      app.clock.advance(299);
      expect((await app.get('/v1/users/me', token)).status).toBe(200);
      app.clock.advance(6);
      expectProblem(await app.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
    });

    it('do not outlive their time where they are remembered and the clock is set back an hour', async () => {
      const { token } = await newAccount(app);
      expect((await app.get('/v1/users/me', token)).status).toBe(200);
      app.clock.advance(-3_600);
      expectProblem(await app.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
      app.clock.advance(3_600);
      expect((await app.get('/v1/users/me', token)).status).toBe(200);
      app.clock.advance(-3);
      expect((await app.get('/v1/users/me', token)).status).toBe(200);
      app.clock.advance(3);
    });

    it('are taken from the Authorization field only, whatever the case of Bearer', async () => {
      const { token } = await newAccount(app);
      const send = (authorization: string) =>
        app.request('GET', '/v1/users/me', { headers: { authorization } });
      expect((await send(`bearer ${token}`)).status).toBe(200);
      for (const value of [
        token,
        `Basic ${token}`,
        'Bearer',
        'Bearer ',
        `Bearer ${token} ${token}`,
        `Bearer "${token}"`,
      ]) {
        expectProblem(await send(value), 'ERR_UNAUTHENTICATED');
      }
      expectProblem(await app.get(`/v1/users/me?access_token=${token}`), 'ERR_UNAUTHENTICATED');
    });
  });
});
