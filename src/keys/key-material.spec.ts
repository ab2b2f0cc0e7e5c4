import { sign, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { generateRawKey, importRawKey, type KeyMaterial } from './key-material.js';
import { type KeyPurposeName, keyPurposes } from './key-purposes.js';

const purposes = Object.keys(keyPurposes).map((name) => name as KeyPurposeName);
const members: Readonly<Record<(typeof keyPurposes)[KeyPurposeName]['suite'], keyof KeyMaterial>> = {
  'COBBLESTONE-256': 'symmetric',
  'XAES-256-GCM': 'symmetric',
  'HMAC-SHA-256': 'mac',
  'MLKEM768-X25519': 'sealing',
  X25519: 'sealing',
  ES256: 'signing',
  Ed25519: 'signing',
};

describe('a new key', () => {
  it.each(purposes)(
    'for %s is what its suite computes with, and its raw bytes are zero afterwards',
    async (purpose) => {
      const { suite } = keyPurposes[purpose];
      const raw = generateRawKey(suite);
      expect(raw.some((byte) => byte !== 0)).toBe(true);
      const material = await importRawKey(
        { id: '0123456789abcdef', purpose, ownerId: 'ada', version: 1, suite },
        raw,
      );
      expect(Object.keys(material)).toEqual([purpose === 'blind-index' ? 'blindIndex' : members[suite]]);
      expect(raw.every((byte) => byte === 0)).toBe(true);
    },
  );

  it.each(['ES256', 'Ed25519'] as const)(
    'of suite %s is copied to no memory that others share',
    async (suite) => {
      const raw = generateRawKey(suite);
      const bytes = Buffer.alloc(raw.length);
      raw.copy(bytes);
      const purpose = suite === 'ES256' ? 'token-signing' : 'audit-signing';
      await importRawKey({ id: '0123456789abcdef', purpose, ownerId: 'system', version: 1, suite }, raw);
      // A small Buffer is a part of the pool that all small ones share.
      const { buffer: pool } = Buffer.from('any');
      expect(Buffer.from(pool).includes(bytes)).toBe(false);
    },
  );

  it('for signing is the same pair after it was stored', async () => {
    const description = {
      id: '0123456789abcdef',
      purpose: 'audit-signing',
      ownerId: 'system',
      version: 1,
      suite: 'Ed25519',
    } as const;
    const raw = generateRawKey('Ed25519');
    const { signing } = await importRawKey(description, Buffer.from(raw));
    const again = await importRawKey(description, raw);
    const signature = sign(null, Buffer.from('head'), signing!.privateKey);
    expect(verify(null, Buffer.from('head'), again.signing!.publicKey, signature)).toBe(true);
  });
});
