import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { Client } from 'pg';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { whileAuditFails } from '../support/audit-outage.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { newPostgresDatabase, type PostgresDatabase, testPostgresUrl } from '../support/postgres-database.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const MARKER = 'hunter2-marker';
/** Each event is some hundred bytes; a page has 4 096. */
const MAX_READS = 2_000;

async function newSecret(app: TestApp): Promise<Account> {
  const owner = await newAccount(app);
  const json = { data: { password: MARKER } };
  expect((await app.request('PUT', '/v1/secrets/a', { token: owner.token, json })).status).toBe(201);
  return owner;
}

describe('while the audit log cannot be written', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newSecret(app);
    });
    afterAll(() => app.close());

    it('no secret is revealed to any of 16 readers, and all of them afterwards', async () => {
      const read = () => app.get('/v1/secrets/a', owner.token);
      const refused = await whileAuditFails(app, () => Promise.all(Array.from({ length: 16 }, read)));
      for (const response of refused) {
        expectProblem(response, 'ERR_UNAVAILABLE');
        expect(response.text).not.toContain(MARKER);
      }
      const answered = await Promise.all(Array.from({ length: 16 }, read));
      expect(answered.map(({ status }) => status)).toEqual(answered.map(() => 200));
      const admin = await newAdmin(app);
      expect((await app.post('/v1/audit/verify', undefined, admin.token)).status).toBe(200);
    });
  });
});

describe('when the disk is full', () => {
  let app: TestApp;
  let owner: Account;
  beforeAll(async () => {
    app = await newTestApp();
    owner = await newSecret(app);
  });
  afterAll(() => app.close());

  /** The writing connection may not make the file longer, as if the disk had no room. */
  async function limitPages(count: number): Promise<void> {
    await sql`pragma max_page_count = ${sql.lit(count)}`.execute(databaseOf(app).query);
  }

  it('nothing is revealed and nothing written, and the server recovers when there is room', async () => {
    await limitPages(1);
    const read = () => app.get('/v1/secrets/a', owner.token);
    let response = await read();
    for (let reads = 1; response.status === 200 && reads < MAX_READS; reads++) response = await read();
    expectProblem(response, 'ERR_UNAVAILABLE');
    const refused = await Promise.all(Array.from({ length: 16 }, read));
    for (const { status, text } of refused) {
      expect(status).toBe(503);
      expect(text).not.toContain(MARKER);
    }
    const json = { data: { password: 'x'.repeat(30_000) } };
    expectProblem(await app.request('PUT', '/v1/secrets/b', { token: owner.token, json }), 'ERR_UNAVAILABLE');
    await limitPages(1_000_000);
    expect((await read()).members).toMatchObject({ data: { password: MARKER } });
    const admin = await newAdmin(app);
    const { count } = await databaseOf(app)
      .query.selectFrom('audit_events')
      .select((column) => column.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    const verified = await app.post('/v1/audit/verify', undefined, admin.token);
    expect(verified.body).toMatchObject({ verified: expect.any(Number) });
    expect(verified.members['verified']).toBeGreaterThanOrEqual(count);
  });
});

const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;

describePostgres('when PostgreSQL takes no writes', () => {
  let database: PostgresDatabase;
  let operator: Client;
  let app: TestApp;
  let owner: Account;
  beforeAll(async () => {
    database = await newPostgresDatabase();
    app = await newTestApp({ environment: { DATABASE_URL: database.url } });
    owner = await newSecret(app);
    operator = new Client({ connectionString: database.url });
    await operator.connect();
  });
  afterAll(async () => {
    await app.close();
    await operator.end();
    await database.drop();
  });

  const read = () => app.get('/v1/secrets/a', owner.token);
  const list = () => app.get('/v1/secrets', owner.token);

  async function expectNothingRevealedOrWritten(): Promise<void> {
    for (const response of await Promise.all(Array.from({ length: 16 }, read))) {
      expectProblem(response, 'ERR_UNAVAILABLE');
      expect(response.text).not.toContain(MARKER);
    }
    const json = { data: { password: 'another' } };
    expectProblem(await app.request('PUT', '/v1/secrets/a', { token: owner.token, json }), 'ERR_UNAVAILABLE');
    expect((await list()).status).toBe(200);
  }

  async function expectRecovered(): Promise<void> {
    expect((await read()).members).toMatchObject({ version: 1, data: { password: MARKER } });
    const admin = await newAdmin(app);
    expect((await app.post('/v1/audit/verify', undefined, admin.token)).status).toBe(200);
  }

  it.each([
    ['its disk is full', '53100'],
    ['its disk fails', '58030'],
    ['writes take too long', '57014'],
  ])('because %s, nothing is revealed, and the server recovers', async (_reason, sqlState) => {
    await operator.query(`
      create function refuse() returns trigger language plpgsql
        as $$ begin raise exception using errcode = '${sqlState}'; end $$;
      create trigger refuse before insert on audit_events execute function refuse();
      create trigger refuse before insert on secret_versions execute function refuse();
    `);
    await expectNothingRevealedOrWritten();
    await operator.query('drop function refuse cascade');
    await expectRecovered();
  });

  it('because it is read-only, as a standby, nothing is revealed, and the server recovers', async () => {
    await setReadOnly('on');
    await expectNothingRevealedOrWritten();
    await setReadOnly('off');
    await expectRecovered();
  });

  /** For the connections that come: those that are there end, and the server has to see that first. */
  async function setReadOnly(value: 'on' | 'off'): Promise<void> {
    const name = new URL(database.url).pathname.slice(1);
    await operator.query(`alter database ${name} set default_transaction_read_only = ${value}`);
    await operator.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`,
      [name],
    );
    while ((await list()).status !== 200);
  }
});
