import { DecryptionError } from './errors.js';
import { kemNameOf, type KemName, sealingSuites } from './sealing-suites.js';

/*
 * Sealed box v1, integers big-endian:
 *
 *    0   1  0x01 format version
 *    1   2  KEM, IANA's HPKE registry: 0x647a MLKEM768-X25519, 0x0020 DHKEM(X25519, HKDF-SHA256)
 *    3   8  key id of the recipient's key pair
 *   11   …  encapsulated secret: 1120 bytes with 0x647a, 32 with 0x0020
 *    …   …  ciphertext ‖ tag 16
 *
 * HPKE's `info` is bytes[0..11] ‖ u16 n ‖ n × (u16 length ‖ name ‖ u32 length ‖ value), as in an envelope; its
 * `aad` is empty.
 */
const FORMAT_VERSION = 0x01;
const KEM_OFFSET = 1;
const KEY_ID_OFFSET = 3;
export const BOX_HEADER_BYTES = 11;
const KEY_ID = /^[0-9a-f]{16}$/;

/**
 * The first 11 bytes of every box to one public key.
 *
 * @param keyId 16 lower-case hex characters
 */
export function encodeBoxHeader(kem: KemName, keyId: string): Buffer {
  if (!KEY_ID.test(keyId)) throw new TypeError(`key id ${keyId} is not 16 lower-case hex characters`);
  const header = Buffer.alloc(BOX_HEADER_BYTES);
  header.writeUInt8(FORMAT_VERSION, 0);
  header.writeUInt16BE(sealingSuites[kem].kemId, KEM_OFFSET);
  header.write(keyId, KEY_ID_OFFSET, 'hex');
  return header;
}

/**
 * The id of the key pair a box is sealed to. It is read, not authenticated: it finds the key, and opening
 * then proves it.
 *
 * @throws DecryptionError for what is not a sealed box
 */
export function recipientKeyIdOf(box: Uint8Array): string {
  const header = Buffer.from(box.subarray(0, BOX_HEADER_BYTES));
  const isBox = header.length === BOX_HEADER_BYTES && header.readUInt8(0) === FORMAT_VERSION;
  if (!isBox || kemNameOf(header.readUInt16BE(KEM_OFFSET)) === undefined) throw new DecryptionError();
  return header.toString('hex', KEY_ID_OFFSET);
}
