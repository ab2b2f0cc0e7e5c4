import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

export interface EncryptedVersion {
  readonly secret_id: string;
  readonly owner_id: string;
  readonly version: number;
  readonly ciphertext: Uint8Array;
}

/** Versions by the key they are under, deleted and expired ones too, for a rotation only. */
@Injectable()
export class SecretCiphertextsRepository {
  constructor(private readonly database: Database) {}

  async count(keyId: string): Promise<number> {
    const row = await this.database.query
      .selectFrom('secret_versions')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('key_id', '=', keyId)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  async find(keyId: string, limit: number): Promise<EncryptedVersion[]> {
    return this.database.query
      .selectFrom('secret_versions')
      .innerJoin('secrets', 'secrets.id', 'secret_versions.secret_id')
      .select(['secret_id', 'version', 'ciphertext', 'owner_id'])
      .where('key_id', '=', keyId)
      .limit(limit)
      .execute();
  }

  /** @returns false when the version is gone, or was replaced since: no two ciphertexts are equal */
  async replace(
    before: EncryptedVersion,
    { ciphertext, keyId }: { readonly ciphertext: Uint8Array; readonly keyId: string },
  ): Promise<boolean> {
    const row = await this.database.query
      .updateTable('secret_versions')
      .set({ ciphertext, key_id: keyId })
      .where('secret_id', '=', before.secret_id)
      .where('version', '=', before.version)
      .where('ciphertext', '=', before.ciphertext)
      .returning('version')
      .executeTakeFirst();
    return row !== undefined;
  }
}
