import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { AuthEvents } from '../../src/auth/auth-events.js';
import { RefreshTokens } from '../../src/auth/refresh-tokens.js';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { UsersService } from '../../src/users/users.service.js';
import { type Account, newAccount, PASSWORD } from '../support/accounts.js';
import { newAppBehindRelay } from '../support/app-behind-relay.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { afterNext, beforeNext } from '../support/next-call.js';
import { testPostgresUrl } from '../support/postgres-database.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

/** An application whose database can go and come back. */
interface Setting {
  readonly app: TestApp;
  go(): Promise<unknown>;
  comeBack(): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * A transaction is undone, as SQLite does by itself when a disk fails. Before there is one, another process holds the
 * file for longer than is waited for.
 */
async function onSqlite(): Promise<Setting> {
  const app = await newTestApp();
  const rival = new DatabaseSync(join(app.environment['DATA_DIR'] ?? '', 'app.db'));
  return {
    app,
    go: async () => {
      const database = databaseOf(app);
      if (database.isInTransaction) await sql`rollback`.execute(database.query);
      else rival.exec('begin immediate');
    },
    comeBack: async () => {
      if (rival.isTransaction) rival.exec('rollback');
    },
    close: async () => {
      rival.close();
      await app.close();
    },
  };
}

/** The server can't be reached any more. */
async function onPostgres(): Promise<Setting> {
  const { app, relay, close } = await newAppBehindRelay();
  return { app, go: () => relay.cut(), comeBack: () => relay.mend(), close };
}

const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;

describe('a login whose database goes in the middle of it', () => {
  describe('on SQLite', () => {
    suite(onSqlite);
  });
  describePostgres('on PostgreSQL', () => {
    suite(onPostgres);
  });
});

function suite(newSetting: () => Promise<Setting>): void {
  let setting: Setting;
  let app: TestApp;
  let account: Account;
  beforeAll(async () => {
    setting = await newSetting();
    ({ app } = setting);
    account = await newAccount(app);
  });
  afterAll(() => setting.close());

  function the<T>(type: abstract new (...dependencies: never[]) => T): T {
    return app.nest.get<T>(type, { strict: false });
  }

  function login() {
    return app.post('/v1/auth/login', { email: account.email, password: PASSWORD });
  }

  /** Everything that a login or a failed one writes. */
  async function rows(): Promise<unknown> {
    const { query } = databaseOf(app);
    return {
      sessions: await query.selectFrom('sessions').selectAll().orderBy('id').execute(),
      tokens: await query.selectFrom('refresh_tokens').selectAll().orderBy('digest').execute(),
      failures: await query.selectFrom('attempt_failures').selectAll().execute(),
      events: await query.selectFrom('audit_events').select('seq').orderBy('seq').execute(),
    };
  }

  it('uses no recovery code up', async () => {
    const { email, token } = await newAccount(app);
    const enrolled = await app.request('POST', '/v1/auth/totp', { token });
    const phone = new AuthenticatorApp(enrolled.string('uri'));
    const code = phone.code(app.clock.nowMs());
    const { members } = await app.post('/v1/auth/totp/activate', { code }, token);
    const [recoveryCode] = members['recoveryCodes'] as string[];
    const json = { email, password: PASSWORD, code: recoveryCode };
    beforeNext(the(RefreshTokens), 'issue', () => setting.go());
    const refused = await app.post('/v1/auth/login', json);
    await setting.comeBack();
    expectProblem(refused, 'ERR_UNAVAILABLE');
    expect((await app.post('/v1/auth/login', json)).status).toBe(200);
    expectProblem(await app.post('/v1/auth/login', json), 'ERR_INVALID_CREDENTIALS');
  });

  it.each([
    ['while the password is verified', () => [the(UsersService), 'verifyPassword'] as const],
    ['once the session is written', () => [the(RefreshTokens), 'issue'] as const],
    ['once the refresh token is written too', () => [the(AuthEvents), 'loggedIn'] as const],
  ])('%s is answered 503, begins no session, and succeeds when it is back', async (_claim, place) => {
    const before = await rows();
    const [target, name] = place();
    beforeNext(target, name, () => setting.go());
    const refused = await login();
    await setting.comeBack();
    expectProblem(refused, 'ERR_UNAVAILABLE');
    expect(await rows()).toEqual(before);
    expect((await app.get('/v1/auth/sessions', account.token)).status).toBe(200);

    const again = await login();
    expect(again.status).toBe(200);
    expect((await app.get('/v1/users/me', again.string('accessToken'))).status).toBe(200);
  });

  it('is answered with its tokens when the database goes right after the session is written', async () => {
    afterNext(the(SessionsService), 'begin', async () => {
      // Nothing that was read before is remembered as long as that.
      app.clock.advance(2);
      await setting.go();
    });
    const answered = await login();
    await setting.comeBack();
    expect(answered.status).toBe(200);
    expect((await app.get('/v1/users/me', answered.string('accessToken'))).status).toBe(200);
  });
}
