import { type EncryptionContext } from './encryption-context.js';
import { keyIdOf } from './envelope.js';
import { DecryptionError } from './errors.js';
import { type SealingKeyPair } from './sealing-key.js';
import { recipientKeyIdOf } from './sealed-box.js';
import { type SymmetricKey } from './symmetric-key.js';

/*
 * What a key store gave is taken only when it belongs to the purpose and owner it was asked for. Plain
 * functions: each further promise on the way of a short value costs a tenth of its encryption.
 */

export function checkEncryptionKey(key: SymmetricKey, context: EncryptionContext): SymmetricKey {
  // A store that hands out another's key would make data that nobody can decrypt again.
  if (belongsTo(key, context)) return key;
  throw new Error(
    `key ${key.id} is for ${key.purpose} of ${key.owner}, want ${context.purpose} of ${context.owner}`,
  );
}

/** @throws DecryptionError for an unknown or disabled key and one of another purpose or owner */
export function checkDecryptionKey(
  key: SymmetricKey | undefined,
  envelope: Uint8Array,
  context: EncryptionContext,
): SymmetricKey {
  if (key === undefined || !belongsTo(key, context)) throw new DecryptionError(keyIdOf(envelope));
  return key;
}

/** @throws DecryptionError for an unknown or disabled key pair and one of another owner */
export function checkOpeningKeyPair(
  pair: SealingKeyPair | undefined,
  box: Uint8Array,
  owner: string,
): SealingKeyPair {
  if (pair?.publicKey.owner !== owner) throw new DecryptionError(recipientKeyIdOf(box));
  return pair;
}

function belongsTo(key: SymmetricKey, context: EncryptionContext): boolean {
  return key.purpose === context.purpose && key.owner === context.owner;
}
