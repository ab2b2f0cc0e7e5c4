import { createCipheriv, createDecipheriv, createSecretKey, KeyObject, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { KEM_MLKEM768_X25519 } from 'hpke';
import ts from 'typescript';
import { BlindIndexKey } from '../../src/crypto/blind-index.js';
import { ChunkCipher, ENCRYPTED_CHUNK_BYTES } from '../../src/crypto/chunk-cipher.js';
import { decryptStream } from '../../src/crypto/decrypt-stream.js';
import { DecryptionError } from '../../src/crypto/errors.js';
import { MacKey } from '../../src/crypto/mac-key.js';
import { SealingKeyPair } from '../../src/crypto/sealing-key.js';
import { singleUseKey } from '../../src/crypto/single-use-key.js';
import { MESSAGE_PREFIX_BYTES, SymmetricKey } from '../../src/crypto/symmetric-key.js';
import { Xaes256Gcm } from '../../src/crypto/xaes-256-gcm.js';
import { generateRawKey, importRawKey } from '../../src/keys/key-material.js';
import { type KeyPurposeName, keyPurposes, type KeySuite } from '../../src/keys/key-purposes.js';
import { cut, readAll } from '../support/read-all.js';
import { nodesOf, readSources } from '../support/source-files.js';

const NONE = Buffer.alloc(0);
const ID = '0123456789abcdef';
const context = { purpose: 'trap', owner: 'ada' };

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

  it('gives every GCM cipher in the source its tag length', () => {
    const calls = readSources(fileURLToPath(new URL('../../src', import.meta.url)))
      .flatMap(({ syntax }) => nodesOf(syntax))
      .filter(ts.isCallExpression)
      .filter((call) => call.arguments[0]?.getText() === "'aes-256-gcm'");
    expect(calls).toHaveLength(4);
    for (const call of calls) expect(call.arguments[3]?.getText()).toBe('GCM_OPTIONS');
  });

  it.each([4, 8, 12, 13, 14, 15])('refuses an XAES ciphertext with a tag of %i bytes', (tagBytes) => {
    const aead = new Xaes256Gcm(randomBytes(32));
    const encrypted = aead.encrypt(NONE, NONE);
    expect(() => aead.decrypt(encrypted.subarray(0, 24 + tagBytes), NONE)).toThrow(DecryptionError);
  });

  it.each([4, 8, 12, 13, 14, 15])('refuses a chunk with a tag of %i bytes', (tagBytes) => {
    const key = newSymmetricKey();
    const envelope = key.encrypt(NONE, context);
    expect(() => key.decrypt(envelope.subarray(0, MESSAGE_PREFIX_BYTES + tagBytes), context)).toThrow(
      DecryptionError,
    );
  });

  it('keeps AES and index keys of many messages as KeyObjects, and no Buffer: those are zero and it goes on', () => {
    const raw = [randomBytes(32), randomBytes(32)];
    const [forChunks = NONE, forIndex = NONE] = raw;
    const chunks = ChunkCipher.forManyChunks({
      key: forChunks,
      baseNonce: randomBytes(12),
      commitment: NONE,
    });
    const index = BlindIndexKey.import({ version: 1, owner: 'ada' }, forIndex);
    expect(raw).toEqual([Buffer.alloc(32), Buffer.alloc(32)]);

    const encrypted = Buffer.alloc(5 + 16);
    chunks.encrypt(7, Buffer.from('plain'), encrypted, 0);
    expect(chunks.decrypt(7, encrypted).toString()).toBe('plain');
    const zeroIndex = BlindIndexKey.import({ version: 1, owner: 'ada' }, Buffer.alloc(32));
    expect(index.index('a', 't', 'c')).not.toEqual(zeroIndex.index('a', 't', 'c'));
  });

  it('keeps keys of HMAC, those of suite 0x01 too, in Buffers of its own that nothing prints', () => {
    const raw = [Buffer.alloc(32, 'k'), Buffer.alloc(32, 'k')];
    const [forMac = NONE, forSuite = NONE] = raw;
    const mac = MacKey.import({ id: ID, purpose: 'trap' }, forMac);
    const parameters = { id: ID, purpose: 'trap', owner: 'ada', suite: 'COBBLESTONE-256' } as const;
    const key = SymmetricKey.import(parameters, forSuite);
    expect(raw).toEqual([Buffer.alloc(32), Buffer.alloc(32)]);

    const zero = MacKey.import({ id: ID, purpose: 'trap' }, Buffer.alloc(32));
    expect(mac.mac(NONE)).not.toEqual(zero.mac(NONE));
    expect(key.decrypt(key.encrypt(Buffer.from('plain'), context), context).toString()).toBe('plain');
    // k is 0x6b: 0x5d under the inner pad of HMAC, 0x37 under the outer one.
    const shown = inspect([mac, key], { depth: 9, showHidden: true }) + JSON.stringify([mac, key]);
    expect(shown).not.toMatch(/kk|]]|77|(6b|5d|37) ?(6b|5d|37)|107|93,|55,/);
  });

  it('gives a cipher no raw Buffer as key on Node 24, where that costs four times a KeyObject', () => {
    const isNode24 = process.versions.node.startsWith('24.');
    expect(singleUseKey(randomBytes(32)) instanceof KeyObject).toBe(isNode24);
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

  it('lets no byte of a chunk out of a stream before its tag is checked, in pieces of any size', async () => {
    const key = newSymmetricKey();
    const envelope = key.encrypt(Buffer.alloc(20_000, 'x'), context);
    const lastByteOfFirstTag = MESSAGE_PREFIX_BYTES + ENCRYPTED_CHUNK_BYTES - 1;
    envelope.writeUInt8(envelope.readUInt8(lastByteOfFirstTag) ^ 1, lastByteOfFirstTag);
    for (const size of [1_000, 16_384, 100_000]) {
      const stream = decryptStream(MESSAGE_PREFIX_BYTES, async (prefix) =>
        key.startDecryption(prefix, context),
      );
      const { output, error } = await readAll(cut(envelope, [size]), stream);
      expect(output).toHaveLength(0);
      expect(error).toBeInstanceOf(DecryptionError);
    }
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

  it.each(Object.keys(keyPurposes) as KeyPurposeName[])(
    'shows no byte of a key %s when logged or serialised',
    async (purpose) => {
      const { suite } = keyPurposes[purpose];
      const raw = generateRawKey(suite);
      const secret = Buffer.from(secretPartOf(raw, suite));
      const material = await importRawKey({ id: ID, purpose, ownerId: 'ada', version: 1, suite }, raw);
      const shown = inspect(material, { showHidden: true, depth: 4 }) + JSON.stringify(material);
      const careless = inspect(secret) + JSON.stringify(secret);
      expect(spellingsOf(secret).filter((spelling) => careless.includes(spelling))).toHaveLength(2);
      for (const spelling of spellingsOf(secret)) expect(shown).not.toContain(spelling);
    },
  );

  it('gives no error but a wrong secret for garbage in ML-KEM, so that only opening the box fails', async () => {
    const seed = randomBytes(32);
    const kem = KEM_MLKEM768_X25519();
    const pair = await kem.DeriveKeyPair(seed, false);
    const { enc, shared_secret: secret } = await kem.Encap(pair.publicKey);
    const garbage = Buffer.concat([randomBytes(1088), enc.subarray(1088)]);
    const wrong = await kem.Decap(garbage, pair.privateKey, pair.publicKey);
    expect(wrong).toHaveLength(secret.length);
    expect(Buffer.from(wrong).equals(secret)).toBe(false);

    const ours = await SealingKeyPair.import({ id: ID, owner: 'ada', kem: 'MLKEM768-X25519' }, seed);
    const info = { purpose: 'share/v1' };
    const box = await ours.publicKey.seal(Buffer.from('secret'), info);
    randomBytes(1088).copy(box, box.length - 6 - 16 - 1120);
    await expect(ours.open(box, info)).rejects.toEqual(new DecryptionError(ID));
  });
});

function newSymmetricKey(): SymmetricKey {
  return SymmetricKey.import(
    { id: ID, purpose: 'trap', owner: 'ada', suite: 'COBBLESTONE-256' },
    randomBytes(32),
  );
}

/** Of PKCS#8 (RFC 5958): the private scalar or seed, without the public half that P-256 has behind it. */
function secretPartOf(raw: Buffer, suite: KeySuite): Buffer {
  if (suite === 'ES256') return raw.subarray(36, 68);
  return suite === 'Ed25519' ? raw.subarray(-32) : raw;
}

/** As JSON, `inspect` and people write bytes; the first ones, because `inspect` leaves the rest of a long Buffer out. */
function spellingsOf(secret: Buffer): string[] {
  const start = secret.subarray(0, 9);
  return [
    start.join(','),
    start.join(', '),
    start.toString('hex'),
    start.toString('base64'),
    start.toString('base64url'),
    inspect(start).slice('<Buffer '.length, -1),
  ];
}
