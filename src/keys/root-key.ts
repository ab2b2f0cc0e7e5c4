import { createHmac } from 'node:crypto';
import { SymmetricKey } from '../crypto/symmetric-key.js';

export const ROOT_KEY_BYTES = 32;
const KEY_ID_BYTES = 8;

/** Takes the bytes of a root key over and fills them with zeros. Its id follows from them and reveals nothing. */
export function importRootKey(raw: Uint8Array): SymmetricKey {
  const id = createHmac('sha256', raw).update('kid').digest().subarray(0, KEY_ID_BYTES).toString('hex');
  return SymmetricKey.import({ id, purpose: 'root', owner: 'system', suite: 'XAES-256-GCM' }, raw);
}
