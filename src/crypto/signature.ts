import { type KeyObject, sign, verify } from 'node:crypto';

/*
 * Signature v1, 74 bytes:
 *
 *    0   1  0x01 format version
 *    1   1  0x01 Ed25519 (RFC 8032)
 *    2   8  key id, random
 *   10  64  signature of "signature/v1" ‖ 0x00 ‖ bytes[0..10] ‖ u16 length ‖ purpose ‖ message
 *
 * The prefix separates the purposes: what was signed for one is no signature for another, even if one day
 * two purposes had the same key. It can't begin a TLS, JWT or SSH message either, which begin otherwise.
 */
const HEADER = Buffer.of(0x01, 0x01);
const HEADER_BYTES = 10;
const KEY_ID = /^[0-9a-f]{16}$/;
const ED25519_BYTES = 64;
const SIGNATURE_BYTES = HEADER_BYTES + ED25519_BYTES;
const LABEL = Buffer.from('signature/v1\0', 'latin1');
const MAX_PURPOSE_BYTES = 0xffff;

/** One half of an Ed25519 key pair and its id, 16 lower-case hex characters. */
export interface SignatureKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** The one error of every refused signature. It tells nothing more, as `DecryptionError` doesn't. */
export class InvalidSignatureError extends Error {
  override readonly name = 'InvalidSignatureError';
  readonly code = 'ERR_SIGNATURE';

  /** @param keyId for the log */
  constructor(readonly keyId?: string) {
    super('signature is not valid');
  }
}

/** @throws TypeError for a key of another algorithm, and a key id or purpose that can't be encoded: mistakes in the code */
export function signMessage({ id, key }: SignatureKey, message: Uint8Array, purpose: string): Buffer {
  if (!KEY_ID.test(id)) throw new TypeError(`key id ${id} is not 16 lower-case hex characters`);
  if (!isEd25519(key)) throw new TypeError(`key ${id} is of type ${key.asymmetricKeyType}, want ed25519`);
  const header = Buffer.concat([HEADER, Buffer.from(id, 'hex')]);
  return Buffer.concat([header, sign(null, signedBytes(header, purpose, message), key)]);
}

/**
 * The id of the key a signature names. It is read, not authenticated: it finds the key, and verifying then
 * proves it.
 *
 * @throws InvalidSignatureError for what is not a signature of this version
 */
export function signatureKeyIdOf(signature: Uint8Array): string {
  const bytes = Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength);
  if (bytes.length !== SIGNATURE_BYTES || !HEADER.equals(bytes.subarray(0, HEADER.length))) {
    throw new InvalidSignatureError();
  }
  return bytes.toString('hex', HEADER.length, HEADER_BYTES);
}

/**
 * @param verificationKey what the store gave for the id that the signature names: `undefined` verifies nothing
 * @throws InvalidSignatureError for another key, purpose or message, or any changed, missing or added byte
 */
export function verifySignature(
  verificationKey: SignatureKey | undefined,
  message: Uint8Array,
  signature: Uint8Array,
  purpose: string,
): void {
  const id = signatureKeyIdOf(signature);
  if (verificationKey?.id !== id || !isEd25519(verificationKey.key)) throw new InvalidSignatureError(id);
  const signed = signedBytes(signature.subarray(0, HEADER_BYTES), purpose, message);
  if (!verify(null, signed, verificationKey.key, signature.subarray(HEADER_BYTES)))
    throw new InvalidSignatureError(id);
}

/** Node signs with whatever key it is given, under the algorithm of that key. */
function isEd25519({ asymmetricKeyType }: KeyObject): boolean {
  return asymmetricKeyType === 'ed25519';
}

function signedBytes(header: Uint8Array, purpose: string, message: Uint8Array): Buffer {
  const name = Buffer.from(purpose, 'utf8');
  if (!purpose.isWellFormed() || name.length > MAX_PURPOSE_BYTES) {
    throw new TypeError(`purpose ${JSON.stringify(purpose)} is not well-formed text of at most 65535 bytes`);
  }
  const length = Buffer.alloc(2);
  length.writeUInt16BE(name.length);
  return Buffer.concat([LABEL, header, length, name, message]);
}
