import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { BlindIndexKey } from '../crypto/blind-index.js';
import { MacKey } from '../crypto/mac-key.js';
import { SealingKeyPair } from '../crypto/sealing-key.js';
import { SymmetricKey, randomKeyBytes } from '../crypto/symmetric-key.js';
import { type KeyPurposeName, type KeySuite } from './key-purposes.js';

interface KeyDescription {
  readonly id: string;
  readonly purpose: KeyPurposeName;
  readonly ownerId: string;
  readonly version: number;
  /** The key's own: the purpose may have another one by now. */
  readonly suite: KeySuite;
}

/** An unwrapped key, ready to compute. Which member is set follows from its suite and purpose. */
export interface KeyMaterial {
  readonly symmetric?: SymmetricKey;
  readonly blindIndex?: BlindIndexKey;
  readonly mac?: MacKey;
  readonly signing?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly sealing?: SealingKeyPair;
}

/** New raw key bytes for a suite: 32 random bytes, a seed too, or a private signing key as PKCS#8. */
export function generateRawKey(suite: KeySuite): Buffer {
  if (suite !== 'ES256' && suite !== 'Ed25519') return randomKeyBytes();
  const { privateKey } =
    suite === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'der' });
}

/** Turns raw bytes into a usable key and fills them with zeros. */
export async function importRawKey(
  { id, purpose, ownerId, version, suite }: KeyDescription,
  raw: Uint8Array,
): Promise<KeyMaterial> {
  switch (suite) {
    case 'ES256':
    case 'Ed25519':
      return { signing: importKeyPair(raw) };
    case 'HMAC-SHA-256':
      return purpose === 'blind-index'
        ? { blindIndex: BlindIndexKey.import({ version, owner: ownerId }, raw) }
        : { mac: MacKey.import({ id, purpose }, raw) };
    case 'MLKEM768-X25519':
    case 'X25519':
      return { sealing: await SealingKeyPair.import({ id, owner: ownerId, kem: suite }, raw) };
    default:
      return { symmetric: SymmetricKey.import({ id, purpose, owner: ownerId, suite }, raw) };
  }
}

function importKeyPair(raw: Uint8Array): NonNullable<KeyMaterial['signing']> {
  try {
    // The same bytes and no copy, which nobody would overwrite.
    const key = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    const privateKey = createPrivateKey({ key, type: 'pkcs8', format: 'der' });
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } finally {
    raw.fill(0);
  }
}
