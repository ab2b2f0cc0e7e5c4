import { type BlindIndexColumn } from '../crypto/blind-index.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { SYSTEM_OWNER } from '../keys/key-purposes.js';

/** Not the user's own key: an address is looked up before anybody knows whose it is. */
export const EMAIL_INDEX: BlindIndexColumn = { owner: SYSTEM_OWNER, table: 'users', column: 'email' };

export function emailContext(userId: string): EncryptionContext {
  return { purpose: 'email', owner: userId, table: 'users', column: 'email', row: userId };
}

export function passwordContext(userId: string): EncryptionContext {
  return {
    purpose: 'password-pepper',
    owner: SYSTEM_OWNER,
    table: 'users',
    column: 'password',
    user: userId,
  };
}
