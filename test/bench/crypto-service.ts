import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { CryptoService } from '../../src/crypto/crypto.service.js';
import type { EncryptionContext } from '../../src/crypto/encryption-context.js';
import type { SuiteName } from '../../src/crypto/suites.js';
import type { SymmetricKey } from '../../src/crypto/symmetric-key.js';
import { dist } from './built.ts';

const CACHE_BOUNDS = { ttlMs: 1_000, maxEntries: 10_000 };

/** Names a row as the application does, with ids of its length. */
export const owner = '0199f3a0-7c1e-7b52-9d5e-5b1f6a2c8e01';
export const context = {
  purpose: 'secret',
  owner,
  table: 'secrets',
  row: '0199f3a0-7c1f-7000-8000-2b1f6a2c8e02',
  version: '1',
};

/**
 * The built service over keys of one suite, found in two caches as the keyring finds them.
 *
 * @param made - the keys there are: two services with the same ones decrypt what either encrypts, each under keys of its own
 */
export async function newCryptoService(
  suite: SuiteName,
  made = new Map<string, SymmetricKey>(),
): Promise<CryptoService> {
  const [{ ExpiringCache }, { SystemClock }, symmetric, { BlindIndexKey }, { CryptoService }] =
    await Promise.all([
      dist<typeof import('../../src/common/expiring-cache.js')>('common/expiring-cache.js'),
      dist<typeof import('../../src/common/clock.js')>('common/clock.js'),
      dist<typeof import('../../src/crypto/symmetric-key.js')>('crypto/symmetric-key.js'),
      dist<typeof import('../../src/crypto/blind-index.js')>('crypto/blind-index.js'),
      dist<typeof import('../../src/crypto/crypto.service.js')>('crypto/crypto.service.js'),
    ]);
  const { randomKeyBytes, randomKeyId, SymmetricKey } = symmetric;
  const clock = new SystemClock();
  const keys = new ExpiringCache(CACHE_BOUNDS, clock, async (id) => made.get(id));
  const primaryIds = new Map<string, string>();
  const primaries = new ExpiringCache(CACHE_BOUNDS, clock, async (name) => {
    const known = primaryIds.get(name);
    if (known !== undefined) return known;
    const [owner = '', purpose = ''] = name.split(' ');
    const key = SymmetricKey.import({ id: randomKeyId(), purpose, owner, suite }, randomKeyBytes());
    made.set(key.id, key);
    primaryIds.set(name, key.id);
    return key.id;
  });
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signatureKeyId = randomKeyId();
  const indexKey = BlindIndexKey.import({ version: 1, owner: 'system' }, randomBytes(32));
  const store = {
    async encryptionKey({ purpose, owner }: EncryptionContext) {
      return keys.get(await primaries.get(`${owner} ${purpose}`));
    },
    decryptionKey: (id: string) => keys.get(id),
    blindIndexKeys: async () => [indexKey],
    signatureKey: async () => ({ id: signatureKeyId, key: privateKey }),
    signatureVerificationKey: async (_purpose: string, id: string) => ({ id, key: publicKey }),
  };
  // Passwords and access tokens are measured with the server, so nothing for them is here.
  const parts: unknown[] = [store, undefined, undefined];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the members in use are there
  return new CryptoService(...(parts as ConstructorParameters<typeof CryptoService>));
}
