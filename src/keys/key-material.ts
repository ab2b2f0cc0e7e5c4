import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { BlindIndexKey } from '../crypto/blind-index.js';
import { SymmetricKey, randomKeyBytes } from '../crypto/symmetric-key.js';
import { type KeyPurposeName, keyPurposes } from './key-purposes.js';

interface KeyDescription {
  readonly id: string;
  readonly purpose: KeyPurposeName;
  readonly ownerId: string;
  readonly version: number;
}

/** An unwrapped key, ready to compute. Which member is set follows from the suite of its purpose. */
export interface KeyMaterial {
  readonly symmetric?: SymmetricKey;
  readonly blindIndex?: BlindIndexKey;
  readonly tokenSigning?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
}

/** New raw key bytes for a purpose: 32 random bytes, or a P-256 private key as PKCS#8. */
export function generateRawKey(purpose: KeyPurposeName): Buffer {
  if (keyPurposes[purpose].suite !== 'ES256') return randomKeyBytes();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'der' });
}

/** Turns raw bytes into a usable key and fills them with zeros. */
export function importRawKey(
  { id, purpose, ownerId, version }: KeyDescription,
  raw: Uint8Array,
): KeyMaterial {
  const { suite } = keyPurposes[purpose];
  switch (suite) {
    case 'ES256': {
      const privateKey = createPrivateKey({ key: Buffer.from(raw), type: 'pkcs8', format: 'der' });
      raw.fill(0);
      return { tokenSigning: { privateKey, publicKey: createPublicKey(privateKey) } };
    }
    case 'HMAC-SHA-256':
      return { blindIndex: BlindIndexKey.import({ version, owner: ownerId }, raw) };
    default:
      return { symmetric: SymmetricKey.import({ id, purpose, owner: ownerId, suite }, raw) };
  }
}
