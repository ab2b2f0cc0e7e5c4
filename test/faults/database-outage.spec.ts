import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/database/database.js';
import { DatabaseUnavailableError } from '../../src/database/errors.js';
import { type Account, newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { newAppBehindRelay } from '../support/app-behind-relay.js';
import { testPostgresUrl } from '../support/postgres-database.js';
import { expectProblem } from '../support/problems.js';
import { type TcpRelay } from '../support/tcp-relay.js';
import { type TestApp } from '../support/test-app.js';

const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;

describePostgres('while PostgreSQL cannot be reached', () => {
  let relay: TcpRelay;
  let app: TestApp;
  let close: () => Promise<void>;
  let user: Account;
  beforeAll(async () => {
    ({ app, relay, close } = await newAppBehindRelay());
    user = await newAccount(app);
  });
  beforeEach(async () => {
    await relay.cut();
    app.clock.advance(1); // Past what the caches may remember.
    expectProblem(await app.get('/health/ready'), 'ERR_UNAVAILABLE');
  });
  afterEach(() => relay.mend());
  afterAll(() => close());

  it('the process lives and is not ready', async () => {
    expect((await app.get('/health/live')).status).toBe(200);
    expectProblem(await app.get('/health/ready'), 'ERR_UNAVAILABLE');
  });

  it('everything that needs it is answered with 503, also to a good token, and nothing with 500', async () => {
    const credentials = { email: newEmail(), password: PASSWORD };
    for (const answer of [
      await app.get('/v1/contacts', user.token),
      await app.get('/v1/users/me', user.token),
      await app.get('/.well-known/jwks.json'),
      await app.post('/v1/auth/login', credentials),
      await app.post('/v1/auth/register', credentials),
      await app.post('/v1/auth/refresh', { refreshToken: user.refreshToken }),
    ]) {
      expectProblem(answer, 'ERR_UNAVAILABLE');
    }
  });

  it('a transaction that is cut off fails and takes neither the process nor the next one with it', async () => {
    await relay.mend();
    const postgres = app.nest.get(Database, { strict: false });
    const transaction = postgres.transaction(async () => {
      await postgres.query.selectFrom('users').select('id').execute();
      await relay.cut();
      await postgres.query.selectFrom('users').select('id').execute();
    });
    await expect(transaction).rejects.toThrow(DatabaseUnavailableError);
    expectProblem(await app.get('/health/ready'), 'ERR_UNAVAILABLE');
    await relay.mend();
    expect((await app.get('/health/ready')).status).toBe(200);
    await relay.cut();
  });

  it('nothing is lost: once it is back, the same tokens go on', async () => {
    await relay.mend();
    expect((await app.get('/health/ready')).status).toBe(200);
    expect((await app.get('/v1/users/me', user.token)).status).toBe(200);
    const refreshed = await app.post('/v1/auth/refresh', { refreshToken: user.refreshToken });
    expect(refreshed.status).toBe(200);
    await relay.cut();
  });
});

describePostgres('while PostgreSQL says nothing', () => {
  let relay: TcpRelay;
  let app: TestApp;
  let close: () => Promise<void>;
  let user: Account;
  beforeAll(async () => {
    ({ app, relay, close } = await newAppBehindRelay({ query_timeout: '3000' }));
    user = await newAccount(app);
  });
  afterAll(() => close());

  it('nobody waits for it: all is answered with 503, and its connections are used no more', async () => {
    relay.stall();
    app.clock.advance(1); // Past what the caches may remember.
    const contacts = app.get('/v1/contacts', user.token);
    const ready = app.get('/health/ready');
    expect(await Promise.race([contacts, ready])).toBe(await ready);
    expectProblem(await ready, 'ERR_UNAVAILABLE');
    expectProblem(await contacts, 'ERR_UNAVAILABLE');
    // Only what is open stays silent.
    await relay.mend();
    for (const path of ['/health/ready', '/v1/contacts', '/v1/contacts'])
      expect((await app.get(path, user.token)).status).toBe(200);
  });
});
