import { type Cipheriv, createCipheriv, createDecipheriv } from 'node:crypto';
import { type Aead } from './aead.js';
import { DecryptionError } from './errors.js';
import { NONCE_BYTES, type NonceWriter, writeRandomNonce } from './random-nonce.js';
import { singleUseKey } from './single-use-key.js';
import { writeCiphertext } from './write-ciphertext.js';

const NONCE_HALF_BYTES = 12;
const BLOCK_BYTES = 16;
const COUNTER_AND_LABEL_BYTES = 4;
const TAG_BYTES = 16;
const GCM_OPTIONS = { authTagLength: TAG_BYTES };
const EMPTY = Buffer.alloc(0);

/**
 * XAES-256-GCM (C2SP XAES-256-GCM): AES-256-GCM with a 192-bit nonce, so random nonces never run out.
 * Output: nonce 24 ‖ ciphertext ‖ tag 16.
 *
 * Not key-committing: two keys can be found that both open one ciphertext. Use it where the key is
 * fixed by something other than the ciphertext, as the envelope's key id does.
 */
export class Xaes256Gcm implements Aead {
  readonly #blockCipher: Cipheriv;
  /** M1 ⊕ K1 ‖ M2 ⊕ K1 with the nonce half still zero: only those 24 bytes change between messages. */
  readonly #mask: Buffer;
  /** The mask with a message's nonce in it. Kept, because everything here is synchronous. */
  readonly #blocks: Buffer;

  readonly #writeNonce: NonceWriter;

  /**
   * @param key 32 bytes, not kept
   * @param writeNonce for known-answer tests: a repeated nonce gives both plaintexts away
   */
  constructor(key: Uint8Array, writeNonce: NonceWriter = writeRandomNonce) {
    this.#writeNonce = writeNonce;
    // One cipher object for the key's life. In ECB without padding `update` of whole blocks has no
    // state, and making an object a message would cost more than the encryption itself.
    this.#blockCipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    this.#mask = derivationMask(this.#blockCipher);
    this.#blocks = Buffer.from(this.#mask);
  }

  encrypt(plaintext: Uint8Array, associatedData: Uint8Array, header: Uint8Array = EMPTY): Buffer {
    const nonceStart = header.length;
    const start = nonceStart + NONCE_BYTES;
    const output = Buffer.allocUnsafe(start + plaintext.length + TAG_BYTES);
    output.set(header, 0);
    this.#writeNonce(output, nonceStart);

    const messageKey = this.#messageKey(output, nonceStart);
    const nonce = output.subarray(nonceStart + NONCE_HALF_BYTES, start);
    const cipher = createCipheriv('aes-256-gcm', singleUseKey(messageKey), nonce, GCM_OPTIONS);
    messageKey.fill(0);
    cipher.setAAD(associatedData);
    writeCiphertext(cipher, plaintext, output, start);
    cipher.final();
    output.set(cipher.getAuthTag(), start + plaintext.length);
    return output;
  }

  decrypt(ciphertext: Uint8Array, associatedData: Uint8Array): Buffer {
    const tagStart = ciphertext.length - TAG_BYTES;
    if (tagStart < NONCE_BYTES) throw new DecryptionError();

    const messageKey = this.#messageKey(ciphertext, 0);
    const nonce = ciphertext.subarray(NONCE_HALF_BYTES, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', singleUseKey(messageKey), nonce, GCM_OPTIONS);
    messageKey.fill(0);
    decipher.setAAD(associatedData);
    decipher.setAuthTag(ciphertext.subarray(tagStart));
    const plaintext = decipher.update(ciphertext.subarray(NONCE_BYTES, tagStart));
    try {
      // Until `final` has checked the tag, `plaintext` is whatever an attacker made of it.
      decipher.final();
    } catch {
      throw new DecryptionError();
    }
    return plaintext;
  }

  /** Kₓ = AES(M1 ⊕ K1) ‖ AES(M2 ⊕ K1), both blocks in one call. */
  #messageKey(message: Uint8Array, nonceStart: number): Buffer {
    for (let index = 0; index < NONCE_HALF_BYTES; index++) {
      const byte = message[nonceStart + index] ?? 0;
      const first = COUNTER_AND_LABEL_BYTES + index;
      const second = BLOCK_BYTES + first;
      this.#blocks[first] = (this.#mask[first] ?? 0) ^ byte;
      this.#blocks[second] = (this.#mask[second] ?? 0) ^ byte;
    }
    return this.#blockCipher.update(this.#blocks);
  }
}

/** `00 01 58 00 0…` ⊕ K1 ‖ `00 02 58 00 0…` ⊕ K1, where K1 is the CMAC subkey (SP 800-38B, 6.1). */
function derivationMask(blockCipher: Cipheriv): Buffer {
  const subkey = cmacSubkey(blockCipher.update(Buffer.alloc(BLOCK_BYTES)));
  const label = 'X'.charCodeAt(0);
  const mask = Buffer.concat([subkey, subkey]);
  mask.writeUInt8(mask.readUInt8(1) ^ 1, 1);
  mask.writeUInt8(mask.readUInt8(2) ^ label, 2);
  mask.writeUInt8(mask.readUInt8(BLOCK_BYTES + 1) ^ 2, BLOCK_BYTES + 1);
  mask.writeUInt8(mask.readUInt8(BLOCK_BYTES + 2) ^ label, BLOCK_BYTES + 2);
  return mask;
}

/** K1 = L << 1, and ⊕ 0x87 when the top bit of L is set (doubling in GF(2^128)). */
function cmacSubkey(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString('hex')}`);
  const carry = value >> 127n;
  const doubled = ((value << 1n) & ((1n << 128n) - 1n)) ^ (carry * 0x87n);
  return Buffer.from(doubled.toString(16).padStart(2 * BLOCK_BYTES, '0'), 'hex');
}
