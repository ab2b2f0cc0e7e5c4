import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Test } from '@nestjs/testing';
import { InMemoryKeyStore } from '../../test/support/in-memory-key-store.js';
import { readAll } from '../../test/support/read-all.js';
import { AccessTokenSigner } from './access-token.js';
import { CryptoModule } from './crypto.module.js';
import { CryptoService } from './crypto.service.js';
import { type EnvelopeReader } from './decrypt-range.js';
import { type EncryptionContext } from './encryption-context.js';
import { encodeHeader, keyIdOf } from './envelope.js';
import { DecryptionError } from './errors.js';
import { KeyStore } from './key-store.js';
import { PasswordHasher } from './password-hasher.js';
import { recipientKeyIdOf } from './sealed-box.js';
import { InvalidSignatureError } from './signature.js';
import { type SuiteName } from './suites.js';

const PLAINTEXT = Buffer.from('attack at dawn');
const context = { purpose: 'secret', owner: 'ada', table: 'secrets', row: '7' };
const suiteNames: readonly SuiteName[] = ['COBBLESTONE-256', 'XAES-256-GCM'];

let keyStore: InMemoryKeyStore;
let crypto: CryptoService;

beforeEach(() => {
  ({ keyStore, crypto } = newService('COBBLESTONE-256'));
});

describe('CryptoService.encrypt and decrypt', () => {
  it.each(suiteNames)('give the plaintext back under %s', async (suite) => {
    const { crypto } = newService(suite);
    expect(await crypto.decrypt(await crypto.encrypt(PLAINTEXT, context), context)).toEqual(PLAINTEXT);
  });

  it('take the context’s entries in any order', async () => {
    const envelope = await crypto.encrypt(PLAINTEXT, context);
    const reordered = { row: '7', table: 'secrets', owner: 'ada', purpose: 'secret' };
    expect(await crypto.decrypt(envelope, reordered)).toEqual(PLAINTEXT);
  });

  it('keep decrypting under a retired key after rotation, and encrypt under the new one', async () => {
    const before = await crypto.encrypt(PLAINTEXT, context);
    const { id } = keyStore.rotate(context.purpose, context.owner);
    const after = await crypto.encrypt(PLAINTEXT, context);
    expect(keyIdOf(after)).toBe(id);
    expect(keyIdOf(before)).not.toBe(id);
    expect(await crypto.decrypt(before, context)).toEqual(PLAINTEXT);
    expect(await crypto.decrypt(after, context)).toEqual(PLAINTEXT);
  });

  it.each([
    ['row', { ...context, row: '8' }],
    ['table', { ...context, table: 'contacts' }],
    ['owner', { ...context, owner: 'eve' }],
    ['purpose', { ...context, purpose: 'contact' }],
    ['number of entries', { purpose: 'secret', owner: 'ada', table: 'secrets' }],
  ])('refuse a ciphertext moved to another %s', async (_what, other) => {
    expect(await refusalOf(await crypto.encrypt(PLAINTEXT, context), other)).toBeInstanceOf(DecryptionError);
  });

  it('refuse a key of another purpose or owner, also when the envelope names it', async () => {
    for (const [purpose, owner] of [
      ['contact', 'ada'],
      ['secret', 'eve'],
    ] as const) {
      const foreign = keyStore.rotate(purpose, owner);
      // Made with the foreign key but for our context: only the check of the key's owner refuses it.
      const envelope = foreign.encrypt(PLAINTEXT, context);
      expect(await refusalOf(envelope, context)).toMatchObject({
        name: 'DecryptionError',
        keyId: foreign.id,
      });
    }
  });

  it('refuse an unknown and a destroyed key', async () => {
    const envelope = await crypto.encrypt(PLAINTEXT, context);
    const keyId = keyIdOf(envelope);
    expect(
      await refusalOf(Buffer.concat([encodeHeader(0x01, '0'.repeat(16)), envelope.subarray(10)]), context),
    ).toBeInstanceOf(DecryptionError);
    keyStore.forget(keyId);
    expect(await refusalOf(envelope, context)).toMatchObject({ name: 'DecryptionError', keyId });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['plain text', PLAINTEXT],
    ['text that is long enough', Buffer.alloc(500, 'plain ')],
    ['a header alone', encodeHeader(0x02, '0'.repeat(16))],
  ])('refuse %s and never return it', async (_what, input) => {
    expect(await refusalOf(input, context)).toBeInstanceOf(DecryptionError);
  });

  it('never encrypt under a key that the store hands out for someone else', async () => {
    const foreign = keyStore.rotate('secret', 'eve');
    keyStore.encryptionKey = async () => foreign;
    await expect(crypto.encrypt(PLAINTEXT, context)).rejects.toThrow(
      `key ${foreign.id} is for secret of eve, want secret of ada`,
    );
  });
});

describe('CryptoService.encryptText and decryptText', () => {
  it.each(suiteNames)(
    'give the text back under %s, and the envelope is the one of encrypt',
    async (suite) => {
      const { crypto } = newService(suite);
      const encrypted = await crypto.encryptText('attack at dawn', context);
      expect(encrypted).toMatch(/^enc\.v1\.[A-Za-z0-9_-]+$/);
      expect(await crypto.decryptText(encrypted, reordered(context))).toBe('attack at dawn');
      const envelope = Buffer.from(encrypted.slice('enc.v1.'.length), 'base64url');
      expect(await crypto.decrypt(envelope, context)).toEqual(PLAINTEXT);
    },
  );

  it('refuse every letter changed, every length cut, another context and the text itself', async () => {
    const encrypted = await crypto.encryptText('attack at dawn', context);
    const letters = encrypted.split('');
    const changed = letters.map((letter, at) => letters.with(at, letter === 'A' ? 'B' : 'A').join(''));
    const cut = letters.map((_letter, at) => encrypted.slice(0, at));
    for (const refused of [...changed, ...cut, 'attack at dawn', `${encrypted}=`, `${encrypted}AAAA`]) {
      await expect(crypto.decryptText(refused, context)).rejects.toThrow(DecryptionError);
    }
    const other = crypto.decryptText(encrypted, { ...context, row: '8' });
    await expect(other).rejects.toThrow(DecryptionError);
  });

  it('refuse to make of bytes a text that they are not', async () => {
    const envelope = await crypto.encrypt(Buffer.of(0xff), context);
    const refused = crypto.decryptText(`enc.v1.${envelope.toString('base64url')}`, context);
    await expect(refused).rejects.toMatchObject({ name: 'DecryptionError', keyId: keyIdOf(envelope) });
    await expect(crypto.encryptText('\uD800', context)).rejects.toThrow(TypeError);
  });
});

describe('CryptoService.encryptStream, decryptStream and decryptRange', () => {
  const long = Buffer.alloc(100_000, 'long ');

  it('give the plaintext back, as do encrypt and decrypt of the other', async () => {
    const { output: envelope } = await readAll([long], await crypto.encryptStream(context));
    expect((await crypto.decrypt(envelope, context)).equals(long)).toBe(true);
    const { output } = await readAll(
      [await crypto.encrypt(long, context)],
      crypto.decryptStream(reordered(context)),
    );
    expect(output.equals(long)).toBe(true);
    const reader = readerOf(envelope);
    expect(await crypto.decryptRange(reader, 50_000, 50_004, context)).toEqual(long.subarray(50_000, 50_004));
  });

  it('refuse an unknown, a destroyed and a foreign key with the error of decrypt, naming the key', async () => {
    const envelope = await crypto.encrypt(long, context);
    const foreign = keyStore.rotate('secret', 'eve').encrypt(long, context);
    keyStore.forget(keyIdOf(envelope));
    for (const refused of [envelope, foreign]) {
      const { output, error } = await readAll([refused], crypto.decryptStream(context));
      expect(output).toHaveLength(0);
      expect(error).toMatchObject({ name: 'DecryptionError', keyId: keyIdOf(refused) });
      const range = crypto.decryptRange(readerOf(refused), 0, 1, context);
      await expect(range).rejects.toMatchObject({ name: 'DecryptionError', keyId: keyIdOf(refused) });
    }
  });

  it('refuse what is not an envelope', async () => {
    for (const input of [[], [PLAINTEXT], [Buffer.alloc(500, 'plain ')]]) {
      expect((await readAll(input, crypto.decryptStream(context))).error).toBeInstanceOf(DecryptionError);
    }
  });
});

describe('CryptoService.rewrap', () => {
  it('encrypts anew under the key that is primary now, once', async () => {
    const before = await crypto.encrypt(PLAINTEXT, context);
    expect(await crypto.rewrap(before, context)).toBeUndefined();
    const { id } = keyStore.rotate(context.purpose, context.owner);
    const after = await crypto.rewrap(before, context);
    expect(after && keyIdOf(after)).toBe(id);
    expect(await crypto.decrypt(after!, context)).toEqual(PLAINTEXT);
    expect(await crypto.rewrap(after!, context)).toBeUndefined();
  });

  it('refuses what decrypt refuses, also under the present key', async () => {
    const envelope = await crypto.encrypt(PLAINTEXT, context);
    envelope.writeUInt8(envelope.readUInt8(60) ^ 1, 60);
    await expect(crypto.rewrap(envelope, context)).rejects.toThrow(DecryptionError);
    await expect(crypto.rewrap(PLAINTEXT, context)).rejects.toThrow(DecryptionError);
  });
});

describe('CryptoService.seal and open', () => {
  const info = { purpose: 'share/v1', secret: '7', version: '1' };

  it('let the owner of the public key read, and nobody else', async () => {
    const box = await crypto.seal(await crypto.sealingPublicKey('ada'), PLAINTEXT, info);
    expect(await crypto.open(box, 'ada', info)).toEqual(PLAINTEXT);
    await expect(crypto.open(box, 'eve', info)).rejects.toThrow(DecryptionError);
    await expect(crypto.open(box, 'ada', { ...info, version: '2' })).rejects.toThrow(DecryptionError);
  });

  it('open what was sealed before a rotation, until that key is destroyed', async () => {
    const box = await crypto.seal(await crypto.sealingPublicKey('ada'), PLAINTEXT, info);
    await keyStore.rotateSealing('ada', 'X25519');
    const after = await crypto.seal(await crypto.sealingPublicKey('ada'), PLAINTEXT, info);
    expect(await crypto.open(box, 'ada', info)).toEqual(PLAINTEXT);
    expect(await crypto.open(after, 'ada', info)).toEqual(PLAINTEXT);
    const keyId = recipientKeyIdOf(box);
    keyStore.forget(keyId);
    await expect(crypto.open(box, 'ada', info)).rejects.toMatchObject({ name: 'DecryptionError', keyId });
  });
});

describe('CryptoService.sign and verify', () => {
  it('verify what was signed for the purpose, before and after a rotation', async () => {
    const before = await crypto.sign(PLAINTEXT, 'audit');
    keyStore.rotateSignature('audit');
    const after = await crypto.sign(PLAINTEXT, 'audit');
    expect(after.equals(before)).toBe(false);
    await expect(crypto.verify(PLAINTEXT, before, 'audit')).resolves.toBeUndefined();
    await expect(crypto.verify(PLAINTEXT, after, 'audit')).resolves.toBeUndefined();
  });

  it('refuse another message, another purpose and what is no signature', async () => {
    const signature = await crypto.sign(PLAINTEXT, 'audit');
    await crypto.sign(PLAINTEXT, 'receipt');
    await expect(crypto.verify(Buffer.from('x'), signature, 'audit')).rejects.toThrow(InvalidSignatureError);
    await expect(crypto.verify(PLAINTEXT, signature, 'receipt')).rejects.toThrow(InvalidSignatureError);
    await expect(crypto.verify(PLAINTEXT, PLAINTEXT, 'audit')).rejects.toThrow(InvalidSignatureError);
  });
});

describe('CryptoService.blindIndex', () => {
  const where = { owner: 'ada', table: 'contacts', column: 'email' };

  it('finds equal values of one owner and column only', async () => {
    const index = await crypto.blindIndex('Ada@example.com', where);
    expect(await crypto.blindIndex('ada@EXAMPLE.com', where)).toEqual(index);
    expect(await crypto.blindIndex('ada@example.com', { ...where, owner: 'eve' })).not.toEqual(index);
    expect(await crypto.blindIndex('ada@example.com', { ...where, column: 'name' })).not.toEqual(index);
  });

  it('has one candidate, and while a rotation runs the new one and the old', async () => {
    const before = await crypto.blindIndex('ada', where);
    expect(await crypto.blindIndexCandidates('ada', where)).toEqual([before]);
    keyStore.rotateBlindIndex('ada');
    const after = await crypto.blindIndex('ada', where);
    expect(after).not.toEqual(before);
    expect(await crypto.blindIndexCandidates('ada', where)).toEqual([after, before]);
  });
});

describe('CryptoService.hashPassword and verifyPassword', () => {
  const pepper = { purpose: 'pepper', owner: 'system', user: 'ada' };

  it('verify the password and no other', async () => {
    const stored = await crypto.hashPassword('correct horse', pepper);
    expect(await crypto.verifyPassword('correct horse', stored, pepper)).toEqual({
      ok: true,
      needsRehash: false,
    });
    expect(await crypto.verifyPassword('battery staple', stored, pepper)).toEqual({
      ok: false,
      needsRehash: false,
    });
  });

  it('store the hash encrypted', async () => {
    const stored = await crypto.hashPassword('correct horse', pepper);
    expect(stored.toString('latin1')).not.toContain('argon2');
    expect((await crypto.decrypt(stored, pepper)).toString()).toMatch(/^\$argon2id\$/);
  });

  it('verify a password stored before the pepper was rotated', async () => {
    const stored = await crypto.hashPassword('correct horse', pepper);
    keyStore.rotate('pepper', 'system');
    expect((await crypto.verifyPassword('correct horse', stored, pepper)).ok).toBe(true);
  });

  it('verify a password after its hash was rewrapped and the old pepper is destroyed', async () => {
    const stored = await crypto.hashPassword('correct horse', pepper);
    keyStore.rotate('pepper', 'system');
    const rewrapped = await crypto.rewrap(stored, pepper);
    keyStore.forget(keyIdOf(stored));
    expect(await crypto.verifyPassword('correct horse', rewrapped, pepper)).toEqual({
      ok: true,
      needsRehash: false,
    });
    expect((await crypto.verifyPassword('battery staple', rewrapped, pepper)).ok).toBe(false);
    await expect(crypto.verifyPassword('correct horse', stored, pepper)).rejects.toThrow(DecryptionError);
  });

  it('say no for an unknown user', async () => {
    expect(await crypto.verifyPassword('correct horse', undefined, pepper)).toEqual({
      ok: false,
      needsRehash: false,
    });
  });

  it('refuse the hash of another user', async () => {
    const stored = await crypto.hashPassword('correct horse', pepper);
    await expect(crypto.verifyPassword('correct horse', stored, { ...pepper, user: 'eve' })).rejects.toThrow(
      DecryptionError,
    );
  });
});

describe('CryptoService', () => {
  it('digests the tokens it makes', () => {
    const token = crypto.randomToken('rt');
    expect(crypto.digestToken('rt', token)).toEqual(createHash('sha256').update(token).digest());
    expect(crypto.digestToken('api', token)).toBeUndefined();
  });

  it('digests text with SHA-256 (FIPS 180-4, "abc")', () => {
    expect(Buffer.from(crypto.digest('abc'), 'base64url').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('verifies the access tokens it signs', async () => {
    const claims = {
      iss: 'https://localhost:3443',
      aud: 'api',
      sub: 'ada',
      exp: 1300,
      iat: 1000,
      nbf: 1000,
      jti: '1',
      sid: '1',
      roles: ['user'],
      amr: ['pwd'],
      auth_time: 1000,
    };
    const sign = await crypto.accessTokenSigner();
    const token = sign(claims);
    const expectations = { issuer: claims.iss, audience: claims.aud, nowSeconds: 1000 };
    expect(await crypto.verifyAccessToken(token, expectations)).toEqual(claims);
  });

  it('is what the module exports, given a key store', async () => {
    @Global()
    @Module({ providers: [{ provide: KeyStore, useValue: keyStore }], exports: [KeyStore] })
    class FakeKeysModule {}

    const app = await Test.createTestingModule({ imports: [CryptoModule, FakeKeysModule] }).compile();
    const envelope = await app.get(CryptoService).encrypt(PLAINTEXT, context);
    expect(await crypto.decrypt(envelope, context)).toEqual(PLAINTEXT);
  });
});

function reordered(context: EncryptionContext): EncryptionContext {
  return JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(context).toReversed())));
}

function readerOf(bytes: Buffer): EnvelopeReader {
  return { length: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

function newService(suite: SuiteName): { keyStore: InMemoryKeyStore; crypto: CryptoService } {
  const keyStore = new InMemoryKeyStore(suite);
  const accessTokenSigner = new AccessTokenSigner(new JwtService({}), keyStore);
  return { keyStore, crypto: new CryptoService(keyStore, new PasswordHasher(), accessTokenSigner) };
}

/** What `decrypt` throws. */
async function refusalOf(envelope: Uint8Array, other: EncryptionContext): Promise<unknown> {
  return crypto.decrypt(envelope, other).then(
    () => undefined,
    (error: unknown) => error,
  );
}
