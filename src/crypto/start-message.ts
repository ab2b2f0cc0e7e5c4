import { type StartDecryption } from './decrypt-stream.js';
import { type StartedMessage } from './encrypt-stream.js';
import { type EncryptionContext } from './encryption-context.js';
import { keyIdOf } from './envelope.js';
import { checkDecryptionKey, checkEncryptionKey } from './key-checks.js';
import { type KeyStore } from './key-store.js';

/** The beginning of an envelope under the key that is primary now. @throws TypeError when its suite has no chunks */
export async function startEncryption(
  keyStore: KeyStore,
  context: EncryptionContext,
): Promise<StartedMessage> {
  const key = checkEncryptionKey(await keyStore.encryptionKey(context), context);
  return key.startEncryption(context);
}

/** What reads the beginning of an envelope, with exactly the key that it names. */
export function startDecryption(keyStore: KeyStore, context: EncryptionContext): StartDecryption {
  return async (prefix) => {
    const key = await keyStore.decryptionKey(keyIdOf(prefix));
    return checkDecryptionKey(key, prefix, context).startDecryption(prefix, context);
  };
}
