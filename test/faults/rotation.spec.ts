import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditCheckpointer } from '../../src/audit/audit-checkpointer.js';
import { AuditVerifier } from '../../src/audit/audit-verifier.js';
import { KnownDevices } from '../../src/auth/known-devices.js';
import { uuidv7 } from '../../src/common/id.js';
import { Database } from '../../src/database/database.js';
import { type KeyPurposeName, keyPurposes } from '../../src/keys/key-purposes.js';
import { UsersService } from '../../src/users/users.service.js';
import { type Account, newAccount, PASSWORD, signIn } from '../support/accounts.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { Build } from '../support/built-server.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type TestApp } from '../support/test-app.js';

const WORKER = fileURLToPath(new URL('rotation.process.ts', import.meta.url));
const KILLS = 20;
/** Longer than one whole rotation takes. */
const MAX_DELAY_MS = 200;
const USERS = 2;
const SECRETS = 15;
const CONTACTS = 25;
const PASSPHRASE = 'open sesame';
const TIMEOUT_MS = 180_000;

describe('a rotation that is killed at any moment', () => {
  let build: Build;
  beforeAll(async () => {
    build = await Build.create();
  });
  afterAll(() => build.remove());

  forEachDatabase((newApp) => {
    let app: TestApp;
    let accounts: Owner[];
    beforeEach(async () => {
      app = await newApp();
      accounts = [];
      while (accounts.length < USERS) accounts.push(await newAccountWithData(app));
      await Promise.all(
        accounts.map((account, index) => grant(app, account, accounts[(index + 1) % USERS]!)),
      );
    });
    afterEach(() => app.close());

    function start(kind: string): ChildProcess {
      const { NODE_OPTIONS: _jest, ...inherited } = process.env;
      return spawn(process.execPath, [WORKER, build.directory, kind], {
        env: { ...inherited, ...app.environment },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    }

    async function killAtAnyMoment(kind: string): Promise<void> {
      const worker = start(kind);
      const exited = once(worker, 'exit');
      await Promise.race([once(worker.stdout!, 'data'), exited]);
      await delay(randomInt(MAX_DELAY_MS));
      expect(worker.exitCode).toBeNull();
      worker.kill('SIGKILL');
      await exited;
    }

    async function finish(): Promise<void> {
      const [code] = (await once(start('finish'), 'exit')) as [number];
      expect(code).toBe(0);
    }

    it.each([
      'root',
      'user-kek',
      'token-signing',
      'contacts',
      'email',
      'password-pepper',
      'secret',
      'share',
      'totp',
      'blind-index',
      'sealing,refresh-token,device-token',
      'audit-chain,audit-signing,audit-kek,refresh-token-kek,token-signing-kek,blind-index-kek',
    ])(
      'of %s loses nothing, and is finished by the next one',
      async (kind) => {
        const database = app.nest.get(Database, { strict: false });
        let cutShort = 0;
        for (let kill = 0; kill < KILLS; kill++) {
          await killAtAnyMoment(kind);
          cutShort += (await unfinishedJobs(database)) > 0 ? 1 : 0;
          await expectEverythingReadable(app, accounts);
          await app.nest.get(AuditCheckpointer, { strict: false }).run();
        }
        await finish();
        await expectEverythingReadable(app, accounts);
        await expectSecondFactors(app, accounts);
        await expectWholeAuditLog(app);
        await expectWholeKeyring(database);
        expect(kind === 'root' || cutShort > 0).toBe(true);
        for (const purpose of kind.split(','))
          expect(await replacedKeys(database, purpose)).toBeGreaterThan(1);
      },
      TIMEOUT_MS,
    );
  });
});

/** A user with data, a share that opens with its passphrase, and an app whose second factor is not activated yet. */
type Owner = Omit<Account, 'refreshToken'> & {
  readonly share: { readonly id: string; readonly token: string };
  readonly authenticator: AuthenticatorApp;
  readonly device: { readonly id: string; readonly token: string };
  /** Of the session that began last. */
  refreshToken: string;
};

async function newAccountWithData(app: TestApp): Promise<Owner> {
  const account = await newAccount(app);
  const { token } = account;
  for (let index = 0; index < SECRETS; index++) {
    const json = { data: { value: `secret ${index}` } };
    expect((await app.request('PUT', `/v1/secrets/s${index}`, { json, token })).status).toBe(201);
  }
  for (let index = 0; index < CONTACTS; index++) {
    const json = { name: `contact ${index}`, email: `c${index}@example.com` };
    expect((await app.post('/v1/contacts', json, token)).status).toBe(201);
  }
  const views = KILLS + 1;
  const json = { data: { value: 'shared' }, views, passphrase: PASSPHRASE };
  const share = await app.post('/v1/shares', json, token);
  expect(share.status).toBe(201);
  const enrolment = await app.request('POST', '/v1/auth/totp', { token });
  const authenticator = new AuthenticatorApp(enrolment.string('uri'));
  const deviceId = uuidv7(app.clock.nowMs());
  const device = {
    id: deviceId,
    token: await app.nest.get(KnownDevices, { strict: false }).tokenFor(account.id, 0, deviceId),
  };
  return {
    ...account,
    share: { id: share.string('id'), token: share.string('token') },
    authenticator,
    device,
  };
}

async function grant(app: TestApp, owner: Owner, { id: userId }: Owner): Promise<void> {
  const given = await app.post('/v1/secrets/s0/grants', { userId }, owner.token);
  expect(given.status).toBe(201);
}

/** Everything of everybody, through the API, past every cache. */
async function expectEverythingReadable(app: TestApp, accounts: readonly Owner[]): Promise<void> {
  app.clock.advance(2);
  for (const account of accounts) {
    const { email, id, share, device } = account;
    const refreshed = await app.post('/v1/auth/refresh', { refreshToken: account.refreshToken });
    expect(refreshed.status).toBe(200);
    const credentials = await app.nest.get(UsersService, { strict: false }).findCredentials(email);
    const devices = app.nest.get(KnownDevices, { strict: false });
    expect(await devices.recognise(credentials, device.token)).toBe(device.id);
    const signedIn = await app.post('/v1/auth/login', { email, password: PASSWORD });
    expect(signedIn.status).toBe(200);
    account.refreshToken = signedIn.string('refreshToken');
    const token = signedIn.string('accessToken');
    expect((await app.get('/v1/users/me', token)).members).toMatchObject({ id, email });
    for (let index = 0; index < SECRETS; index++) {
      const secret = await app.get(`/v1/secrets/s${index}`, token);
      expect(secret.members).toMatchObject({ data: { value: `secret ${index}` } });
    }
    const contacts = await app.get('/v1/contacts?limit=100', token);
    const names = Array.from({ length: CONTACTS }, (_, index) => `contact ${index}`);
    expect(new Set(contacts.items.map(({ name }) => name))).toEqual(new Set(names));
    const found = await app.get('/v1/contacts?email=C7@example.com', token);
    expect(found.items).toMatchObject([{ name: 'contact 7' }]);
    const [received] = (await app.get('/v1/grants', token)).items;
    const granted = await app.get(`/v1/grants/${String(received?.['id'])}`, token);
    expect(granted.members).toMatchObject({ data: { value: 'secret 0' } });
    const opened = await app.post(`/v1/shares/${share.id}/reveal`, {
      token: share.token,
      passphrase: PASSPHRASE,
    });
    expect(opened.members).toMatchObject({ data: { value: 'shared' } });
  }
}

async function expectSecondFactors(app: TestApp, accounts: readonly Owner[]): Promise<void> {
  for (const { email, authenticator } of accounts) {
    // The first session has ended: each look at everything began another one.
    const { token } = await signIn(app, email);
    const code = authenticator.code(app.clock.nowMs());
    expect((await app.post('/v1/auth/totp/activate', { code }, token)).status).toBe(200);
  }
}

async function expectWholeAuditLog(app: TestApp): Promise<void> {
  const { seq } = await app.nest.get(AuditCheckpointer, { strict: false }).run();
  expect(await app.nest.get(AuditVerifier, { strict: false }).verify()).toBe(seq);
}

async function unfinishedJobs({ query }: Database): Promise<number> {
  const jobs = await query.selectFrom('key_jobs').select('id').where('finished_at', 'is', null).execute();
  return jobs.length;
}

/** How many keys of the purpose a rotation has put others in the place of. */
async function replacedKeys({ query }: Database, purpose: string): Promise<number> {
  const keys = await query
    .selectFrom('keys')
    .select(['state', 'not_after'])
    .where('purpose', '=', purpose)
    .execute();
  const isPerValue = keyPurposes[purpose as KeyPurposeName]?.isPerValue === true;
  return keys.filter(({ state, not_after: notAfter }) =>
    isPerValue ? state === 'DESTROYED' || notAfter !== null : state !== 'PRIMARY' && state !== 'PENDING',
  ).length;
}

/** No job is left, and every key that is not destroyed can be unwrapped by one that is there. */
async function expectWholeKeyring(database: Database): Promise<void> {
  expect(await unfinishedJobs(database)).toBe(0);
  const { query } = database;
  const keys = await query.selectFrom('keys').selectAll().execute();
  const live = keys.filter(({ state }) => state !== 'DESTROYED');
  const ids = new Set(live.map(({ id }) => id));
  const wrapped = live.filter(({ purpose }) => purpose !== 'root');
  expect(wrapped.filter((key) => key.wrapped === null)).toEqual([]);
  expect(wrapped.filter(({ parent_id: parent }) => !ids.has(parent))).toEqual([]);
  expect(live.filter(({ state }) => state === 'PENDING')).toEqual([]);
}
