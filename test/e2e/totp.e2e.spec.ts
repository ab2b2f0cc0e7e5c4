import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { type Account, newAccount, PASSWORD, signIn } from '../support/accounts.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { readToken } from '../support/forge-token.js';
import { type HttpsResponse } from '../support/https-client.js';
import { codeBlocksOf } from '../support/markdown.js';
import { beforeNext } from '../support/next-call.js';
import { badFields, expectProblem } from '../support/problems.js';
import { countUnder, databaseOf, reencryptAll, retirePrimary } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

interface Protected extends Account {
  readonly phone: AuthenticatorApp;
  readonly recoveryCodes: readonly string[];
}

describe('the second factor', () => {
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

    const enrol = (token: string) => app.request('POST', '/v1/auth/totp', { token });
    const activate = (token: string, code: unknown) => app.post('/v1/auth/totp/activate', { code }, token);
    const remove = (token: string, code: unknown) =>
      app.request('DELETE', '/v1/auth/totp', { token, json: { code } });

    function login(email: string, code?: string, at = app): Promise<HttpsResponse> {
      return at.post('/v1/auth/login', {
        email,
        password: PASSWORD,
        ...(code === undefined ? {} : { code }),
      });
    }

    async function isAlive(token: string, at = app): Promise<boolean> {
      const response = await at.get('/v1/users/me', token);
      if (response.status !== 200) expectProblem(response, 'ERR_UNAUTHENTICATED');
      return response.status === 200;
    }

    /** Activated with the code of the step before, so that the present one is good for a login. */
    async function newProtected(): Promise<Protected> {
      const account = await newAccount(app);
      const phone = new AuthenticatorApp((await enrol(account.token)).string('uri'));
      const { members } = await activate(account.token, phone.code(app.clock.nowMs(), -1));
      return { ...account, phone, recoveryCodes: members['recoveryCodes'] as string[] };
    }

    /** Past every step that was used. */
    function nextStep(): void {
      app.clock.advance(60);
    }

    it('is asked for once it is active, and not before', async () => {
      const { email, token } = await newAccount(app);
      const enrolled = await enrol(token);
      expect(enrolled.status).toBe(201);
      expect(enrolled.body).toEqual({
        secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
        uri: expect.stringContaining(`secret=${enrolled.string('secret')}&`),
      });
      const phone = new AuthenticatorApp(enrolled.string('uri'));
      expect(phone).toMatchObject({ issuer: 'issuer.example.test', account: email });
      expect((await login(email)).status).toBe(200);

      const activated = await activate(token, phone.code(app.clock.nowMs()));
      expect(activated.status).toBe(200);
      expect(activated.body).toEqual({ recoveryCodes: expect.any(Array) });
      const codes = activated.members['recoveryCodes'] as string[];
      expect(new Set(codes).size).toBe(10);
      expectProblem(await login(email), 'ERR_MFA_REQUIRED');
      nextStep();
      const { payload } = readToken(
        (await login(email, phone.code(app.clock.nowMs()))).string('accessToken'),
      );
      expect(payload).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], auth_time: app.clock.nowSeconds });
    });

    it('says nothing to who has not the password', async () => {
      const { email, phone } = await newProtected();
      const code = phone.code(app.clock.nowMs());
      for (const given of [undefined, code]) {
        const json = { email, password: `${PASSWORD}!`, ...(given === undefined ? {} : { code: given }) };
        expectProblem(await app.post('/v1/auth/login', json), 'ERR_INVALID_CREDENTIALS');
      }
      expect((await login(email, code)).status).toBe(200);
    });

    it('takes the codes of three steps, as apps show them, and each once', async () => {
      const { email, phone } = await newProtected();
      nextStep();
      const nowMs = app.clock.nowMs();
      expectProblem(await login(email, phone.code(nowMs, -2)), 'ERR_INVALID_CREDENTIALS');
      expectProblem(await login(email, phone.code(nowMs, 2)), 'ERR_INVALID_CREDENTIALS');
      const spaced = phone.code(nowMs, -1).replace(/^.../, '$& ');
      expect((await login(email, spaced)).status).toBe(200);
      expectProblem(await login(email, spaced), 'ERR_INVALID_CREDENTIALS');
      expect((await login(email, phone.code(nowMs, 1))).status).toBe(200);
      // The present step is before the one that was used: no older code is good any more.
      expectProblem(await login(email, phone.code(nowMs)), 'ERR_INVALID_CREDENTIALS');
    });

    it('refuses a code that was used, also on another instance, and the one of the activation', async () => {
      const { email, phone, token } = await newProtected();
      const activation = phone.code(app.clock.nowMs(), -1);
      expectProblem(await login(email, activation), 'ERR_INVALID_CREDENTIALS');
      const code = phone.code(app.clock.nowMs());
      expect((await login(email, code)).status).toBe(200);
      expectProblem(await login(email, code, other), 'ERR_INVALID_CREDENTIALS');
      expectProblem(await remove(token, code), 'ERR_INVALID_CODE');
    });

    it('lets one of 16 logins with one code in, over two instances', async () => {
      const { email, phone } = await newProtected();
      const code = phone.code(app.clock.nowMs());
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) => login(email, code, index % 2 === 0 ? app : other)),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    });

    it('lets one of 16 logins with one recovery code in, over two instances', async () => {
      const { email, recoveryCodes } = await newProtected();
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          login(email, recoveryCodes[3], index % 2 === 0 ? app : other),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    });

    it('takes each of the ten recovery codes once, however it is typed', async () => {
      const { email, recoveryCodes } = await newProtected();
      for (const code of recoveryCodes) {
        const answer = await login(email, code.replaceAll('-', ' ').toUpperCase());
        expect(answer.status).toBe(200);
        expect(readToken(answer.string('accessToken')).payload['amr']).toEqual(['pwd', 'mfa']);
      }
      expectProblem(await login(email, recoveryCodes[0]), 'ERR_INVALID_CREDENTIALS');
    });

    it('throttles guesses, right ones in a back-off too, and those at either kind apart', async () => {
      const { email, phone, recoveryCodes } = await newProtected();
      const right = phone.code(app.clock.nowMs());
      const wrong = right === '000000' ? '000001' : '000000';
      for (let guess = 0; guess < 5; guess++) {
        expectProblem(await login(email, wrong), 'ERR_INVALID_CREDENTIALS');
      }
      expectProblem(await login(email, right), 'ERR_INVALID_CREDENTIALS');
      expect((await login(email, recoveryCodes[0])).status).toBe(200);
      app.clock.advance(1);
      expect((await login(email, phone.code(app.clock.nowMs()))).status).toBe(200);
    });

    it('is activated only by a code of the latest seed, with guesses throttled', async () => {
      const { token } = await newAccount(app);
      expectProblem(await activate(token, '000000'), 'ERR_INVALID_CODE');
      const first = new AuthenticatorApp((await enrol(token)).string('uri'));
      const second = new AuthenticatorApp((await enrol(token)).string('uri'));
      expectProblem(await activate(token, first.code(app.clock.nowMs())), 'ERR_INVALID_CODE');
      for (let guess = 0; guess < 3; guess++) {
        expectProblem(await activate(token, 'abcdef'), 'ERR_INVALID_CODE');
      }
      expectProblem(await activate(token, second.code(app.clock.nowMs())), 'ERR_INVALID_CODE');
      app.clock.advance(1);
      expect((await activate(token, second.code(app.clock.nowMs()))).status).toBe(200);
      for (const code of ['', 'x'.repeat(65), 7, null])
        expect(badFields(await activate(token, code))).toEqual(['/code']);
    });

    it('stops a login that was let through without it while it was being activated', async () => {
      const { email, token } = await newAccount(app);
      const phone = new AuthenticatorApp((await enrol(token)).string('uri'));
      beforeNext(app.nest.get(SessionsService, { strict: false }), 'begin', async () => {
        expect((await activate(token, phone.code(app.clock.nowMs()))).status).toBe(200);
      });
      expectProblem(await login(email), 'ERR_INVALID_CREDENTIALS');
      expect((await app.get('/v1/auth/sessions', token)).items).toHaveLength(1);
    });

    it('is not enrolled, activated or removed by a session that has ended on another instance', async () => {
      const [newcomer, owner] = [await newAccount(app), await newProtected()];
      const phone = new AuthenticatorApp((await enrol(newcomer.token)).string('uri'));
      const code = phone.code(app.clock.nowMs());
      for (const { token } of [newcomer, owner]) {
        expect(await isAlive(token, other)).toBe(true);
        await app.request('POST', '/v1/auth/logout', { token });
      }
      const { token } = newcomer;
      expectProblem(await other.request('POST', '/v1/auth/totp', { token }), 'ERR_UNAUTHENTICATED');
      const activated = await other.post('/v1/auth/totp/activate', { code }, token);
      expectProblem(activated, 'ERR_UNAUTHENTICATED');
      expect((await login(newcomer.email)).status).toBe(200);

      const json = { code: owner.recoveryCodes[0] };
      const removed = await other.request('DELETE', '/v1/auth/totp', { token: owner.token, json });
      expectProblem(removed, 'ERR_UNAUTHENTICATED');
      expect((await login(owner.email, owner.recoveryCodes[0])).status).toBe(200);
    });

    it('is activated once when it is asked for 16 times at the same moment', async () => {
      const { token } = await newAccount(app);
      const phone = new AuthenticatorApp((await enrol(token)).string('uri'));
      const code = phone.code(app.clock.nowMs());
      const answers = await Promise.all(Array.from({ length: 16 }, () => activate(token, code)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    });

    it("can't be replaced while it is active: not by who holds a session of the user", async () => {
      const { token, phone } = await newProtected();
      expectProblem(await enrol(token), 'ERR_TOTP_ACTIVE');
      expectProblem(await activate(token, phone.code(app.clock.nowMs())), 'ERR_TOTP_ACTIVE');
    });

    it('ends every other session when it is activated or removed, on every instance within a second', async () => {
      const account = await newAccount(app);
      const { email, token } = account;
      const before = await signIn(app, email);
      expect(await isAlive(before.token, other)).toBe(true);
      const phone = new AuthenticatorApp((await enrol(token)).string('uri'));
      await activate(token, phone.code(app.clock.nowMs(), -1));
      expect([await isAlive(before.token), await isAlive(token)]).toEqual([false, true]);
      app.clock.advance(1);
      expect(await isAlive(before.token, other)).toBe(false);

      const second = await login(email, phone.code(app.clock.nowMs()));
      expect((await remove(token, phone.code(app.clock.nowMs(), 1))).status).toBe(204);
      expect([await isAlive(second.string('accessToken')), await isAlive(token)]).toEqual([false, true]);
      expect((await login(email)).status).toBe(200);
    });

    it('is removed by a recovery code too, with all of them, and by nothing else', async () => {
      const { email, token, recoveryCodes } = await newProtected();
      expectProblem(await remove(token, '000000'), 'ERR_INVALID_CODE');
      expect((await remove(token, recoveryCodes[9])).status).toBe(204);
      expectProblem(await remove(token, recoveryCodes[8]), 'ERR_INVALID_CODE');
      const phone = new AuthenticatorApp((await enrol(token)).string('uri'));
      await activate(token, phone.code(app.clock.nowMs()));
      expectProblem(await login(email, recoveryCodes[7]), 'ERR_INVALID_CREDENTIALS');
    });

    it('needs a login of the last five minutes to be enrolled and removed', async () => {
      const { refreshToken, phone } = await newProtected();
      app.clock.advance(200);
      const refreshed = await app.post('/v1/auth/refresh', { refreshToken });
      app.clock.advance(101);
      const late = refreshed.string('accessToken');
      expectProblem(await remove(late, phone.code(app.clock.nowMs())), 'ERR_STEP_UP_REQUIRED');
      expectProblem(await enrol(late), 'ERR_STEP_UP_REQUIRED');
    });

    it('is not enrolled after a login of the future, which the clock was set back behind', async () => {
      const { refreshToken } = await newAccount(app);
      app.clock.advance(-3_600);
      const refreshed = await app.post('/v1/auth/refresh', { refreshToken });
      expectProblem(await enrol(refreshed.string('accessToken')), 'ERR_STEP_UP_REQUIRED');
      app.clock.advance(3_600);
    });

    it('is unharmed when the clock is set back: no used code becomes good again', async () => {
      const { email, phone } = await newProtected();
      const code = phone.code(app.clock.nowMs());
      expect((await login(email, code)).status).toBe(200);
      app.clock.advance(-3_600);
      const earlier = phone.code(app.clock.nowMs());
      expectProblem(await login(email, earlier), 'ERR_INVALID_CREDENTIALS');
      app.clock.advance(3_600);
      expectProblem(await login(email, code), 'ERR_INVALID_CREDENTIALS');
    });

    it('is taken from who has lost it by the statements in docs/operations.md, and from nobody else', async () => {
      const [locked, another] = await Promise.all([newProtected(), newProtected()]);
      const [statements = ''] = codeBlocksOf(readFileSync('docs/operations.md', 'utf8'), 'sql');
      for (const statement of statements.trimEnd().split('\n')) {
        await sql.raw(statement.replace('<id>', locked.id)).execute(databaseOf(app).query);
      }
      expect((await login(locked.email)).status).toBe(200);
      expectProblem(await login(another.email), 'ERR_MFA_REQUIRED');
      expect((await enrol(locked.token)).status).toBe(201);
    });

    it('is stored encrypted, its recovery codes as digests', async () => {
      const { id, recoveryCodes } = await newProtected();
      const { query } = databaseOf(app);
      const factor = await query
        .selectFrom('totp_factors')
        .selectAll()
        .where('user_id', '=', id)
        .executeTakeFirstOrThrow();
      // The envelope of suite 0x02 is 50 bytes longer than the seed.
      expect(factor.seed_ciphertext).toHaveLength(70);
      const codes = await query.selectFrom('recovery_codes').selectAll().where('user_id', '=', id).execute();
      expect(codes.map(({ digest }) => digest.length)).toEqual(Array.from({ length: 10 }, () => 32));
      for (const code of recoveryCodes) expect(JSON.stringify(codes)).not.toContain(code);
    });

    it('goes on while its key is rotated', async () => {
      const { id, email, phone } = await newProtected();
      const key = await retirePrimary(app, 'totp', id);
      expect(await countUnder(app, 'totp', key)).toBe(1);
      expect((await login(email, phone.code(app.clock.nowMs()))).status).toBe(200);
      await reencryptAll(app, 'totp', key);
      expect(await countUnder(app, 'totp', key)).toBe(0);
      nextStep();
      expect((await login(email, phone.code(app.clock.nowMs()))).status).toBe(200);
    });

    it('leaves events of each step, and of what was refused', async () => {
      const { email, token, phone } = await newProtected();
      expectProblem(await login(email), 'ERR_MFA_REQUIRED');
      await remove(token, 'wrong');
      await remove(token, phone.code(app.clock.nowMs()));
      const outcomes = async (action: string) =>
        (await app.get(`/v1/audit?action=${action}`, token)).items.map(({ outcome }) => outcome);
      expect(await outcomes('totp.enrol')).toEqual(['success']);
      expect(await outcomes('totp.activate')).toEqual(['success']);
      expect(await outcomes('auth.login-incomplete')).toEqual(['failure']);
      expect(await outcomes('totp.remove')).toEqual(['success', 'failure']);
    });
  });
});
