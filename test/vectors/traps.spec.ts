import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ChunkCipher } from '../../src/crypto/chunk-cipher.js';
import { DecryptionError } from '../../src/crypto/errors.js';
import { Xaes256Gcm } from '../../src/crypto/xaes-256-gcm.js';

const NONE = Buffer.alloc(0);

/** What the runtime lets happen, and that nothing here lets it. */
describe('the traps of the runtime', () => {
  it('accepts no GCM tag shorter than 16 bytes once authTagLength is given', () => {
    const [key, nonce] = [randomBytes(32), randomBytes(12)];
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.final();
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    expect(() => decipher.setAuthTag(cipher.getAuthTag().subarray(0, 4))).toThrow(
      'Invalid authentication tag length',
    );
  });

  it.each([4, 8, 12, 13, 14, 15])('refuses an XAES ciphertext with a tag of %i bytes', (tagBytes) => {
    const aead = new Xaes256Gcm(randomBytes(32));
    const encrypted = aead.encrypt(NONE, NONE);
    expect(() => aead.decrypt(encrypted.subarray(0, 24 + tagBytes), NONE)).toThrow(DecryptionError);
  });

  it('knows that update hands out plaintext before the tag is checked, and returns none from a chunk', () => {
    const keys = { key: randomBytes(32), baseNonce: randomBytes(12), commitment: NONE };
    const chunk = ChunkCipher.forOneChunk(keys);
    const encrypted = Buffer.alloc(6 + 16);
    chunk.encrypt(0, Buffer.from('secret'), encrypted, 0);
    encrypted.writeUInt8(encrypted.readUInt8(21) ^ 1, 21);

    const decipher = createDecipheriv('aes-256-gcm', keys.key, keys.baseNonce, { authTagLength: 16 });
    expect(decipher.update(encrypted.subarray(0, 6)).toString()).toBe('secret');
    expect(() => chunk.decrypt(0, encrypted)).toThrow(DecryptionError);
  });

  it('keeps no state in the block cipher between messages, even after a refused one', () => {
    const aead = new Xaes256Gcm(randomBytes(32));
    const encrypted = aead.encrypt(Buffer.from('first'), NONE);
    for (let round = 0; round < 100; round++) {
      expect(() => aead.decrypt(randomBytes(64), NONE)).toThrow(DecryptionError);
      aead.encrypt(randomBytes(round), NONE);
    }
    expect(aead.decrypt(encrypted, NONE).toString()).toBe('first');
  });

  it('shows a Buffer when logged and no byte of a KeyObject', () => {
    const raw = Buffer.alloc(32, 'k');
    expect(JSON.stringify(raw)).toContain('107,107');
    expect(JSON.stringify(createSecretKey(raw))).toBe('{}');
    expect(inspect(createSecretKey(raw), { showHidden: true, depth: 9 })).not.toMatch(/6b 6b|kk|107/);
  });
});
