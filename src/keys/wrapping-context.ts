import { type EncryptionContext } from '../crypto/encryption-context.js';
import { type KeyRow } from './keys.repository.js';

/** A wrapped key moved to another row, owner, purpose, suite or parent can't be unwrapped. */
export function wrappingContext(
  row: Pick<KeyRow, 'id' | 'parent_id' | 'owner_id' | 'purpose' | 'suite'>,
): EncryptionContext {
  return { kid: row.id, parent: row.parent_id, owner: row.owner_id, purpose: row.purpose, suite: row.suite };
}
