import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

interface EncryptedShare {
  readonly id: string;
  readonly owner_id: string;
  readonly ciphertext: Uint8Array;
}

interface Renewed {
  readonly ciphertext: Uint8Array;
  readonly keyId: string;
}

/** Shares by the keys they are under, for a rotation only. No two ciphertexts are equal. */
@Injectable()
export class ShareCiphertextsRepository {
  constructor(private readonly database: Database) {}

  async count(column: 'key_id' | 'passphrase_key_id', keyId: string): Promise<number> {
    const { count } = await this.database.query
      .selectFrom('shares')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where(column, '=', keyId)
      .executeTakeFirstOrThrow();
    return count;
  }

  async findData(keyId: string, limit: number): Promise<EncryptedShare[]> {
    return this.database.query
      .selectFrom('shares')
      .select(['id', 'owner_id', 'ciphertext'])
      .where('key_id', '=', keyId)
      .limit(limit)
      .execute();
  }

  async findPassphrases(keyId: string, limit: number): Promise<EncryptedShare[]> {
    return this.database.query
      .selectFrom('shares')
      .select(['id', 'owner_id', 'passphrase_ciphertext as ciphertext'])
      .where('passphrase_key_id', '=', keyId)
      .limit(limit)
      .$narrowType<{ ciphertext: Uint8Array }>()
      .execute();
  }

  /** @returns false when the share is gone or was changed since */
  async replaceData(
    { id, ciphertext: before }: EncryptedShare,
    { ciphertext, keyId }: Renewed,
  ): Promise<boolean> {
    const row = await this.database.query
      .updateTable('shares')
      .set({ ciphertext, key_id: keyId })
      .where('id', '=', id)
      .where('ciphertext', '=', before)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  async replacePassphrase(
    { id, ciphertext: before }: EncryptedShare,
    { ciphertext, keyId }: Renewed,
  ): Promise<void> {
    await this.database.query
      .updateTable('shares')
      .set({ passphrase_ciphertext: ciphertext, passphrase_key_id: keyId })
      .where('id', '=', id)
      .where('passphrase_ciphertext', '=', before)
      .execute();
  }
}
