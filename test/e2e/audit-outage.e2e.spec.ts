import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { whileAuditFails } from '../support/audit-outage.js';
import { forEachDatabase } from '../support/for-each-database.js';
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
