import {
  AEAD_AES_256_GCM,
  CipherSuite,
  KDF_HKDF_SHA256,
  KEM_DHKEM_X25519_HKDF_SHA256,
  KEM_MLKEM768_X25519,
} from 'hpke';

/** A public key that nothing can be sealed to: an honest owner of one has made a mistake with it. */
export class InvalidPublicKeyError extends Error {
  override readonly name = 'InvalidPublicKeyError';
  readonly code = 'ERR_PUBLIC_KEY';
}

export type KemName = 'MLKEM768-X25519' | 'X25519';

/** The length of every KEM's seed. */
export const SEED_BYTES = 32;

/** HPKE base mode (RFC 9180) with HKDF-SHA256, AES-256-GCM and one KEM. */
export interface SealingSuite {
  /** The KEM's number in IANA's HPKE registry. */
  readonly kemId: number;
  readonly publicKeyBytes: number;
  /** Length of the encapsulated secret in front of the ciphertext. */
  readonly encapsulatedBytes: number;
  /** Made when it is first used: only then does the runtime warn that its ML-KEM interface is young. */
  readonly hpke: () => CipherSuite;
}

/**
 * The default is MLKEM768-X25519, X-Wing (draft-connolly-cfrg-xwing-kem): what is sealed today stays closed
 * to whoever records it and one day has a quantum computer, and to whoever breaks ML-KEM instead.
 */
export const sealingSuites: Readonly<Record<KemName, SealingSuite>> = {
  'MLKEM768-X25519': {
    kemId: 0x647a,
    publicKeyBytes: 1216,
    encapsulatedBytes: 1120,
    hpke: once(() => new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM)),
  },
  X25519: {
    kemId: 0x0020,
    publicKeyBytes: 32,
    encapsulatedBytes: 32,
    hpke: once(() => new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)),
  },
};

/** The KEM of a number in IANA's HPKE registry, or `undefined`. */
export function kemNameOf(kemId: number): KemName | undefined {
  return Object.keys(sealingSuites)
    .filter(isKemName)
    .find((name) => sealingSuites[name].kemId === kemId);
}

/** The KEM that has public keys of this length. @throws InvalidPublicKeyError when none has */
export function kemOfPublicKey({ length }: Uint8Array): KemName {
  const names = Object.keys(sealingSuites).filter(isKemName);
  const found = names.find((name) => sealingSuites[name].publicKeyBytes === length);
  if (found !== undefined) return found;
  const wanted = names.map((name) => `${sealingSuites[name].publicKeyBytes} (${name})`).join(' or ');
  throw new InvalidPublicKeyError(`public key is ${length} bytes, want ${wanted}`);
}

function isKemName(name: string): name is KemName {
  return Object.hasOwn(sealingSuites, name);
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}
