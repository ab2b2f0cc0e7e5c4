import { type BlindIndexColumn } from '../crypto/blind-index.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { type StoredContact } from './contacts.repository.js';

/** What is encrypted of a contact, as one value: read together, so decrypted once. */
export interface ContactDetails {
  readonly name: string;
  readonly email?: string;
  readonly phone?: string;
  readonly note?: string;
}

/** Binds what is encrypted of a contact to its owner, row and version. */
export function encryptionContext({
  id,
  owner_id: owner,
  version,
}: Pick<StoredContact, 'id' | 'owner_id' | 'version'>): EncryptionContext {
  return {
    purpose: 'contacts',
    owner,
    table: 'contacts',
    column: 'ciphertext',
    row: id,
    version: String(version),
  };
}

export function indexContext(owner: string): BlindIndexColumn {
  return { owner, table: 'contacts', column: 'email' };
}

export function parseDetails(plaintext: Buffer): ContactDetails {
  return JSON.parse(plaintext.toString('utf8')) as ContactDetails;
}
