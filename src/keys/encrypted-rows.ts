import { Injectable } from '@nestjs/common';
import { type Database } from '../database/database.js';
import { type JobRun } from './job-run.js';
import { type KeyPurposeName } from './key-purposes.js';

/** A key that encrypts nothing new, while rows may still be under it. */
export interface RetiredKey {
  readonly id: string;
  readonly ownerId: string;
  /** Counted per owner and purpose, from 1. */
  readonly version: number;
}

/** One column whose values were made with keys of one purpose. The feature that owns the table implements it. */
export interface EncryptedRows {
  readonly purpose: KeyPurposeName;

  /** How many rows are under this key. */
  count(key: RetiredKey): Promise<number>;

  /**
   * Brings a batch of the key's rows under the key that is primary now. A row that somebody else changes meanwhile
   * is left to them, and one that can't be read is skipped by the run.
   *
   * @returns how many rows were still under the key, 0 when none is left but those that the run had skipped before
   */
  reencrypt(key: RetiredKey, run: JobRun): Promise<number>;
}

/** Where features register their encrypted columns, so that a rotation reaches every row. */
@Injectable()
export class EncryptedRowsRegistry {
  readonly #rows: EncryptedRows[] = [];

  register(rows: EncryptedRows): void {
    this.#rows.push(rows);
  }

  of(purpose: string): readonly EncryptedRows[] {
    return this.#rows.filter((rows) => rows.purpose === purpose);
  }
}

interface Renewal<Row, Value> {
  /** The row's value under the key that is primary now, or `undefined` when it was under that one already. */
  readonly renew: (row: Row) => Promise<Value | undefined>;
  /** Stores it in one statement that changes nothing unless the row is still as it was read. */
  readonly replace: (row: Row, renewed: Value) => Promise<void>;
}

/**
 * `EncryptedRows.reencrypt` for up to `run.limit` rows that were read under `key`: a batch of them is stored in one
 * transaction, which costs SQLite one fsync. Renewing comes before it, so nobody waits for that, and keys come from
 * the cache.
 *
 * @returns as `EncryptedRows.reencrypt`
 */
export async function reencryptBatch<Row extends { readonly id: string }, Value>(
  database: Database,
  key: RetiredKey,
  run: JobRun,
  rows: readonly Row[],
  { renew, replace }: Renewal<Row, Value>,
): Promise<number> {
  const renewals: { readonly row: Row; readonly renewed: Value }[] = [];
  // Row locks in the order of ids: batches on one table can't wait for each other in a circle.
  const batch = run.next(rows, ({ id }) => id).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const row of batch) {
    await run.attempt(row.id, key.id, async () => {
      const renewed = await renew(row);
      if (renewed === undefined) throw new KeyNotRetiredError(key);
      renewals.push({ row, renewed });
    });
  }
  if (renewals.length > 0) {
    await database.transaction(async () => {
      for (const { row, renewed } of renewals) await replace(row, renewed);
    });
  }
  return batch.length;
}

interface ValueRenewal<Row, Value> extends Pick<Renewal<Row, Value>, 'renew'> {
  readonly idOf: (row: Row) => string;
  /** False when the row is gone or was changed since it was read. */
  readonly replace: (row: Row, renewed: Value) => Promise<boolean>;
}

/**
 * `EncryptedRows.reencrypt` for a purpose with one key a value. The new key of each is made in the transaction that
 * stores the value, so no key is left without one.
 *
 * @returns as `EncryptedRows.reencrypt`
 */
export async function reencryptValues<Row, Value>(
  database: Database,
  key: RetiredKey,
  run: JobRun,
  rows: readonly Row[],
  { idOf, renew, replace }: ValueRenewal<Row, Value>,
): Promise<number> {
  const batch = run.next(rows, idOf);
  for (const row of batch) {
    await run.attempt(idOf(row), key.id, async () => {
      try {
        await database.transaction(async () => {
          const renewed = await renew(row);
          if (renewed === undefined) throw new KeyNotRetiredError(key);
          if (!(await replace(row, renewed))) throw new RowChangedError();
        });
      } catch (error) {
        if (!(error instanceof RowChangedError)) throw error;
      }
    });
  }
  return batch.length;
}

/** Undoes the transaction, and with it the new key. */
class RowChangedError extends Error {}

/** Its rows can't be brought under another key, because what is written now is still under this one. */
export class KeyNotRetiredError extends Error {
  constructor({ id, ownerId }: RetiredKey) {
    super(`key ${id} of owner ${ownerId} is still the primary key`);
  }
}
