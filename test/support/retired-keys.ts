import { type EncryptionContext } from '../../src/crypto/encryption-context.js';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { Database } from '../../src/database/database.js';
import { EncryptedRowsRegistry, type RetiredKey } from '../../src/keys/encrypted-rows.js';
import { JobRun } from '../../src/keys/job-run.js';
import { type KeyPurposeName } from '../../src/keys/key-purposes.js';
import { type TestApp } from './test-app.js';

/** Retires the owner's primary key, without a rotation's other steps. What is written next makes another. */
export async function retirePrimary(
  app: TestApp,
  purpose: KeyPurposeName,
  ownerId: string,
): Promise<RetiredKey> {
  const { id, version } = await databaseOf(app)
    .query.updateTable('keys')
    .set({ state: 'DECRYPT_ONLY' })
    .where('owner_id', '=', ownerId)
    .where('purpose', '=', purpose)
    .where('state', '=', 'PRIMARY')
    .returning(['id', 'version'])
    .executeTakeFirstOrThrow();
  app.clock.advance(1);
  return { id, ownerId, version };
}

/** Counts over every column of the purpose. */
export async function countUnder(app: TestApp, purpose: KeyPurposeName, key: RetiredKey): Promise<number> {
  const counts = await Promise.all(columnsOf(app, purpose).map((rows) => rows.count(key)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** One batch of every column of the purpose. @returns how many rows were found */
export async function reencryptBatches(
  app: TestApp,
  purpose: KeyPurposeName,
  key: RetiredKey,
  limit = 100,
  run = new JobRun(() => {}, limit),
): Promise<number> {
  let found = 0;
  for (const rows of columnsOf(app, purpose)) found += await rows.reencrypt(key, run);
  return found;
}

/** Batches until none is left. @returns how many rows each of them found */
export async function reencryptAll(
  app: TestApp,
  purpose: KeyPurposeName,
  key: RetiredKey,
  limit = 100,
): Promise<number[]> {
  const found = [];
  const run = new JobRun(() => {}, limit);
  do found.push(await reencryptBatches(app, purpose, key, limit, run));
  while (found.at(-1) !== 0);
  return found;
}

/** One batch, undone as by a process that dies before it commits. */
export async function reencryptAndDie(
  app: TestApp,
  purpose: KeyPurposeName,
  key: RetiredKey,
): Promise<unknown> {
  const dying = databaseOf(app).transaction(async () => {
    await reencryptBatches(app, purpose, key);
    throw new Error('died');
  });
  return dying.catch((error: unknown) => error);
}

/** Does `work` between the next reading of a row and its writing. */
export function beforeNextRewrap(app: TestApp, work: () => Promise<unknown>): void {
  const crypto = app.nest.get(CryptoService, { strict: false });
  const original = crypto.rewrap.bind(crypto);
  crypto.rewrap = async (envelope: Uint8Array, context: EncryptionContext) => {
    crypto.rewrap = original;
    await work();
    return original(envelope, context);
  };
}

export function databaseOf(app: TestApp): Database {
  return app.nest.get(Database, { strict: false });
}

function columnsOf(app: TestApp, purpose: KeyPurposeName) {
  return app.nest.get(EncryptedRowsRegistry, { strict: false }).of(purpose);
}
