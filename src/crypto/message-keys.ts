import { type HkdfExpand } from './hkdf-expand.js';

const INFO_PREFIX = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1');
const KEY_BYTES = 32;
const BASE_NONCE_BYTES = 12;
export const COMMITMENT_BYTES = 32;

/** What one message is encrypted under. Only `commitment` is public. */
export interface MessageKeys {
  /** 32 bytes, to be filled with zeros once a cipher has taken them or after the last chunk */
  readonly key: Buffer;
  /** 12 bytes */
  readonly baseNonce: Buffer;
  /** 32 bytes, fixes the input key, the salt and the context */
  readonly commitment: Buffer;
}

/**
 * The key schedule of C2SP chunked-encryption with AES-256-GCM: 76 bytes of HKDF-Expand-SHA512. The input
 * key is uniformly random, which is why Expand alone is enough.
 *
 * @param salt 24 bytes, never repeated under one key
 */
export function deriveMessageKeys(inputKey: HkdfExpand, salt: Uint8Array, context: Uint8Array): MessageKeys {
  const commitmentStart = KEY_BYTES + BASE_NONCE_BYTES;
  const bytes = inputKey.expand(INFO_PREFIX, salt, context, commitmentStart + COMMITMENT_BYTES);
  return {
    key: bytes.subarray(0, KEY_BYTES),
    baseNonce: bytes.subarray(KEY_BYTES, commitmentStart),
    commitment: bytes.subarray(commitmentStart),
  };
}
