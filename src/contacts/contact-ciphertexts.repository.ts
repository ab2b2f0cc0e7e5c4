import { Injectable } from '@nestjs/common';
import { type Selectable } from 'kysely';
import { blindIndexRange } from '../crypto/blind-index.js';
import { Database } from '../database/database.js';
import { type Schema } from '../database/schema.js';
import { type RetiredKey } from '../keys/encrypted-rows.js';

type ContactRow = Selectable<Schema['contacts']>;
type EncryptedContact = Pick<ContactRow, 'id' | 'owner_id' | 'version' | 'ciphertext'>;
type IndexedContact = EncryptedContact & Pick<ContactRow, 'email_index'>;

/** Contacts by the key they are under, for a rotation only. */
@Injectable()
export class ContactCiphertextsRepository {
  constructor(private readonly database: Database) {}

  async count(keyId: string): Promise<number> {
    const row = await this.database.query
      .selectFrom('contacts')
      .select((column) => column.fn.countAll<number>().as('count'))
      .where('key_id', '=', keyId)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  async find(keyId: string, limit: number): Promise<EncryptedContact[]> {
    return this.database.query
      .selectFrom('contacts')
      .select(['id', 'owner_id', 'version', 'ciphertext'])
      .where('key_id', '=', keyId)
      .limit(limit)
      .execute();
  }

  /** Unless the contact was written or deleted since: no two ciphertexts are equal. */
  async replace(
    before: EncryptedContact,
    { ciphertext, keyId }: { readonly ciphertext: Uint8Array; readonly keyId: string },
  ): Promise<void> {
    await this.database.query
      .updateTable('contacts')
      .set({ ciphertext, key_id: keyId })
      .where('id', '=', before.id)
      .where('ciphertext', '=', before.ciphertext)
      .execute();
  }

  async countIndexes(key: RetiredKey): Promise<number> {
    const { from, to } = blindIndexRange(key.version);
    const row = await this.database.query
      .selectFrom('contacts')
      .select((column) => column.fn.countAll<number>().as('count'))
      .where('owner_id', '=', key.ownerId)
      .where('email_index', '>=', from)
      .where('email_index', '<=', to)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  async findIndexes(key: RetiredKey, limit: number): Promise<IndexedContact[]> {
    const { from, to } = blindIndexRange(key.version);
    return this.database.query
      .selectFrom('contacts')
      .select(['id', 'owner_id', 'version', 'ciphertext', 'email_index'])
      .where('owner_id', '=', key.ownerId)
      .where('email_index', '>=', from)
      .where('email_index', '<=', to)
      .limit(limit)
      .execute();
  }

  /** Unless the address was changed or the contact deleted since. */
  async replaceIndex(before: IndexedContact, emailIndex: Uint8Array): Promise<void> {
    await this.database.query
      .updateTable('contacts')
      .set({ email_index: emailIndex })
      .where('id', '=', before.id)
      .where('email_index', '=', before.email_index)
      .execute();
  }
}
