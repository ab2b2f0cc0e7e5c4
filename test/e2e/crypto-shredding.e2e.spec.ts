import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OwnerDeletedError } from '../../src/common/app-error.js';
import { type ErrorCode } from '../../src/common/problem-catalogue.js';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { DecryptionError } from '../../src/crypto/errors.js';
import { toBase32 } from '../../src/crypto/totp.js';
import { type Schema } from '../../src/database/schema.js';
import { type Account, newAccount, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';
import { TestDatabase } from '../support/test-database.js';

interface Person extends Account {
  /** Base32, as the app shows it. */
  readonly seed: string;
  /** Of their secret, to the other one. */
  readonly grantId: string;
  /** Sealed to them, and kept elsewhere. */
  readonly box: Buffer;
}

const PASSPHRASE = 'told on the telephone';
const SEALED_FOR = { purpose: 'share/v1', secret: 'told' };
const GONE = 'gone';

/** Those that hold what is anybody's, in an order that foreign keys and triggers allow. */
const TABLES: readonly (keyof Schema)[] = [
  'keys',
  'users',
  'sessions',
  'refresh_tokens',
  'contacts',
  'secrets',
  'secret_versions',
  'grants',
  'shares',
  'totp_factors',
  'recovery_codes',
  'public_keys',
  'audit_events',
  'audit_head',
  'audit_checkpoints',
];

describe('the end of a user, in a copy of the database from before with the keys of after,', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let copy: TestDatabase;
    let ada: Person;
    let bob: Person;
    beforeAll(async () => {
      app = await newApp();
      const [one, other] = [await newAccount(app), await newAccount(app)];
      ada = await withEverything(one, other);
      bob = await withEverything(other, one);
      copy = await copyOf(app);
    });
    afterAll(async () => {
      await app.close();
      await copy.remove();
    });

    async function withEverything(account: Account, friend: Account): Promise<Person> {
      const { id, token } = account;
      await app.post('/v1/contacts', { name: `contact of ${id}`, email: 'eve@example.com' }, token);
      for (const data of [{ a: `first of ${id}` }, { a: `second of ${id}` }]) {
        await app.request('PUT', '/v1/secrets/told', { token, json: { data } });
      }
      await app.post(
        '/v1/shares',
        { data: { a: `share of ${id}` }, views: 1, passphrase: PASSPHRASE },
        token,
      );
      const totp = await app.request('POST', '/v1/auth/totp', { token });
      const grant = await app.post('/v1/secrets/told/grants', { userId: friend.id }, token);
      const crypto = cryptoOf(app);
      const publicKey = await crypto.sealingPublicKey(id);
      const box = await crypto.seal(publicKey, Buffer.from(`box of ${id}`), SEALED_FOR);
      return { ...account, seed: totp.string('secret'), grantId: grant.string('id'), box };
    }

    /** The copy as it is, read by an instance with the root key and nothing in memory. */
    async function onCopy<T>(work: (instance: TestApp) => Promise<T>): Promise<T> {
      const instance = await app.newInstance({ DATABASE_URL: copy.url });
      try {
        return await work(instance);
      } finally {
        await instance.close();
      }
    }

    /** Of Ada and of nobody else. */
    async function expectEnd(instance: TestApp, granted: ErrorCode): Promise<void> {
      expect(await allOf(instance, bob)).toEqual(everything(bob));
      expect(await allOf(instance, ada)).toEqual({
        ...Object.fromEntries(Object.keys(everything(ada)).map((what) => [what, GONE])),
        // Hashes under the pepper, which is everybody's.
        password: true,
        passphrase: true,
      });
      expectProblem(await instance.get(`/v1/grants/${ada.grantId}`, bob.token), granted);
      expectProblem(await instance.get(`/v1/grants/${bob.grantId}`, ada.token), 'ERR_GRANT_NOT_FOUND');
    }

    it('leaves nothing of theirs to be read, of whatever kind, and all of the others’', async () => {
      const before = await onCopy(async (instance) => [
        await allOf(instance, ada),
        await allOf(instance, bob),
        (await instance.get(`/v1/grants/${ada.grantId}`, bob.token)).members['data'],
        (await instance.get(`/v1/grants/${bob.grantId}`, ada.token)).members['data'],
      ]);
      const granted = [ada, bob].map(({ id }) => ({ a: `second of ${id}` }));
      expect(before).toEqual([everything(ada), everything(bob), ...granted]);

      const json = { password: PASSWORD };
      expect((await app.request('DELETE', '/v1/users/me', { token: ada.token, json })).status).toBe(204);
      const keys = await databaseOf(app).query.selectFrom('keys').selectAll().execute();
      const database = await copy.open();
      // First beside all the data keys that the copy has.
      for (const { id, state, wrapped } of keys.filter(({ purpose }) => purpose === 'user-kek')) {
        await database.query.updateTable('keys').set({ state, wrapped }).where('id', '=', id).execute();
      }
      await onCopy((instance) => expectEnd(instance, 'ERR_INTERNAL'));
      await database.query.deleteFrom('keys').execute();
      for (const row of keys) await database.insert('keys', row);
      await onCopy((instance) => expectEnd(instance, 'ERR_GRANT_NOT_FOUND'));
    });
  });
});

/** As a backup is made while the server runs. */
async function copyOf(original: TestApp): Promise<TestDatabase> {
  const { kind, query } = databaseOf(original);
  const target = await TestDatabase.create(kind);
  if (kind === 'sqlite') {
    const file = new DatabaseSync(join(original.environment['DATA_DIR']!, 'app.db'));
    file.prepare('vacuum into ?').run(target.file);
    file.close();
    return target;
  }
  const copied = await target.openMigrated();
  await copied.query.deleteFrom('audit_head').execute();
  for (const table of TABLES) {
    for (const row of await query.selectFrom(table).selectAll().execute()) await copied.insert(table, row);
  }
  return target;
}

/** What `allOf` gives while it can be read. */
function everything({ id, email, seed }: Person) {
  return {
    contact: JSON.stringify({ name: `contact of ${id}`, email: 'eve@example.com' }),
    'version 1': JSON.stringify({ a: `first of ${id}` }),
    'version 2': JSON.stringify({ a: `second of ${id}` }),
    share: JSON.stringify({ a: `share of ${id}` }),
    email,
    seed,
    box: `box of ${id}`,
    index: true,
    password: true,
    passphrase: true,
  };
}

/** What every column holds that something of theirs is encrypted in, with the contexts of docs/crypto.md. */
async function allOf(app: TestApp, { id: owner, box }: Person): Promise<Record<string, unknown>> {
  const crypto = cryptoOf(app);
  const { query } = databaseOf(app);
  const contact = await query
    .selectFrom('contacts')
    .selectAll()
    .where('owner_id', '=', owner)
    .executeTakeFirstOrThrow();
  const versions = await query
    .selectFrom('secret_versions')
    .innerJoin('secrets', 'secrets.id', 'secret_id')
    .select(['secret_id', 'version', 'ciphertext'])
    .where('owner_id', '=', owner)
    .execute();
  const share = await query
    .selectFrom('shares')
    .selectAll()
    .where('owner_id', '=', owner)
    .executeTakeFirstOrThrow();
  const user = await query.selectFrom('users').selectAll().where('id', '=', owner).executeTakeFirstOrThrow();
  const factor = await query
    .selectFrom('totp_factors')
    .selectAll()
    .where('user_id', '=', owner)
    .executeTakeFirstOrThrow();

  const read = async (ciphertext: Uint8Array, purpose: string, context: Readonly<Record<string, string>>) =>
    crypto.decrypt(ciphertext, { purpose, owner, ...context });
  const verify = async (password: string, hash: Uint8Array, context: Readonly<Record<string, string>>) =>
    (await crypto.verifyPassword(password, hash, { purpose: 'password-pepper', owner: 'system', ...context }))
      .ok;
  const readings: Record<string, unknown> = {
    contact: read(contact.ciphertext, 'contacts', {
      ...cell('contacts', 'ciphertext', contact.id),
      version: '1',
    }),
    share: read(share.ciphertext, 'share', cell('shares', 'ciphertext', share.id)),
    email: read(user.email_ciphertext, 'email', cell('users', 'email', owner)),
    seed: read(factor.seed_ciphertext, 'totp', cell('totp_factors', 'seed', owner)).then(toBase32),
    box: crypto.open(box, owner, SEALED_FOR),
    index: crypto
      .blindIndexCandidates('eve@example.com', { owner, table: 'contacts', column: 'email' })
      .then((indexes) => indexes.some((index) => index.equals(contact.email_index!))),
    password: verify(PASSWORD, user.password_ciphertext, { table: 'users', column: 'password', user: owner }),
    passphrase: verify(
      PASSPHRASE,
      share.passphrase_ciphertext!,
      cell('shares', 'passphrase_ciphertext', share.id),
    ),
  };
  for (const { secret_id: id, version, ciphertext } of versions) {
    const context = { ...cell('secret_versions', 'ciphertext', id), version: String(version) };
    readings[`version ${version}`] = read(ciphertext, 'secret', context);
  }
  const found = Object.entries(readings).map(
    async ([what, reading]) => [what, await textOf(reading)] as const,
  );
  return Object.fromEntries(await Promise.all(found));
}

function cell(table: string, column: string, row: string) {
  return { table, column, row };
}

async function textOf(reading: unknown): Promise<unknown> {
  try {
    const value = await reading;
    return Buffer.isBuffer(value) ? value.toString() : value;
  } catch (error) {
    if (error instanceof DecryptionError || error instanceof OwnerDeletedError) return GONE;
    throw error;
  }
}

function cryptoOf(app: TestApp): CryptoService {
  return app.nest.get(CryptoService, { strict: false });
}
