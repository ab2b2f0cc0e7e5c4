import { Injectable } from '@nestjs/common';
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
   * Brings up to `limit` of the key's rows under the key that is primary now. A row that somebody else changes
   * meanwhile is left to them.
   *
   * @returns how many rows were still under the key, 0 when none is left
   */
  reencrypt(key: RetiredKey, limit: number): Promise<number>;
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
