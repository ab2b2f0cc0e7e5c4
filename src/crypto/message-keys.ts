import { createHmac, type KeyObject } from 'node:crypto';
import { singleUseKey } from './single-use-key.js';

const INFO_PREFIX = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1');
const SHA512_BYTES = 64;
const KEY_BYTES = 32;
const BASE_NONCE_BYTES = 12;
export const COMMITMENT_BYTES = 32;

/** What one message is encrypted under. Only `commitment` is public. */
export interface MessageKeys {
  /** 32 bytes, to be filled with zeros after the last chunk */
  readonly key: Buffer;
  /** The same key as ciphers take it, valid as long as `key` is not zeroed */
  readonly cipherKey: Buffer | KeyObject;
  /** 12 bytes */
  readonly baseNonce: Buffer;
  /** 32 bytes, fixes the input key, the salt and the context */
  readonly commitment: Buffer;
}

/**
 * The key schedule of C2SP chunked-encryption with AES-256-GCM:
 * HKDF-Expand-SHA512 (RFC 5869, 2.3) of 76 bytes, so T(1) ‖ T(2).
 *
 * The input key is uniformly random, which is why Expand alone is enough; node's `hkdf` always
 * extracts first and can't be used.
 *
 * @param salt 24 bytes, never repeated under one key
 */
export function deriveMessageKeys(inputKey: KeyObject, salt: Uint8Array, context: Uint8Array): MessageKeys {
  // T(1) 64 ‖ info ‖ counter: the first HMAC reads from `info`, the second from the start.
  const infoLength = INFO_PREFIX.length + salt.length + context.length;
  const input = Buffer.allocUnsafe(SHA512_BYTES + infoLength + 1);
  INFO_PREFIX.copy(input, SHA512_BYTES);
  input.set(salt, SHA512_BYTES + INFO_PREFIX.length);
  input.set(context, SHA512_BYTES + INFO_PREFIX.length + salt.length);
  const counter = input.length - 1;

  input[counter] = 1;
  const first = createHmac('sha512', inputKey).update(input.subarray(SHA512_BYTES)).digest();
  first.copy(input);
  input[counter] = 2;
  const second = createHmac('sha512', inputKey).update(input).digest();
  input.fill(0, 0, SHA512_BYTES);

  const commitmentStart = KEY_BYTES + BASE_NONCE_BYTES;
  const commitment = Buffer.allocUnsafe(COMMITMENT_BYTES);
  first.copy(commitment, 0, commitmentStart);
  second.copy(commitment, SHA512_BYTES - commitmentStart);
  const key = first.subarray(0, KEY_BYTES);
  return {
    key,
    cipherKey: singleUseKey(key),
    baseNonce: first.subarray(KEY_BYTES, commitmentStart),
    commitment,
  };
}
