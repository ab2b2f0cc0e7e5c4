import { argon2Sync, hkdfSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { hashRaw, verify } from '@node-rs/argon2';

// What we take from the runtime and from libraries, each against an answer from outside both.
describe('the primitives', () => {
  it('give HKDF-SHA-256 of RFC 5869, A.1', () => {
    const key = Buffer.from('0b'.repeat(22), 'hex');
    const salt = Buffer.from('000102030405060708090a0b0c', 'hex');
    const info = Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex');
    expect(Buffer.from(hkdfSync('sha256', key, salt, info, 42)).toString('hex')).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  it('give the CRC-32 check value CBF43926 (ISO-HDLC, zlib)', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
  });

  it('verify the Argon2id v19 answer of the reference implementation', async () => {
    // P-H-C/phc-winner-argon2, src/test.c: hashtest(0x13, 2, 16, 1, "password", "somesalt", …, Argon2_id)
    const phc = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await verify(phc, 'password')).toBe(true);
    expect(await verify(phc, 'passwore')).toBe(false);
  });

  it('give the Argon2id tag of RFC 9106, 5.3', () => {
    const tag = argon2Sync('argon2id', {
      message: Buffer.alloc(32, 1),
      nonce: Buffer.alloc(16, 2),
      secret: Buffer.alloc(8, 3),
      associatedData: Buffer.alloc(12, 4),
      memory: 32,
      passes: 3,
      parallelism: 4,
      tagLength: 32,
    });
    expect(tag.toString('hex')).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
  });

  it('give the same Argon2id tag in both implementations with the parameters in use', async () => {
    const salt = Buffer.from('0123456789abcdef');
    const ours = await hashRaw('correct horse', {
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
      outputLen: 32,
      salt,
    });
    const theirs = argon2Sync('argon2id', {
      message: 'correct horse',
      nonce: salt,
      memory: 19_456,
      passes: 2,
      parallelism: 1,
      tagLength: 32,
    });
    expect(ours.toString('hex')).toBe(theirs.toString('hex'));
  });
});
