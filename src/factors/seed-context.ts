import { type EncryptionContext } from '../crypto/encryption-context.js';

/** Binds a seed to its user, under a key of theirs. */
export function seedContext(userId: string): EncryptionContext {
  return { purpose: 'totp', owner: userId, table: 'totp_factors', column: 'seed', row: userId };
}
