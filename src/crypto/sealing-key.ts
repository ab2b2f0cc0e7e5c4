import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { type Key, type KeyPair } from 'hpke';
import { boundContext } from './envelope.js';
import { DecryptionError } from './errors.js';
import { BOX_HEADER_BYTES, encodeBoxHeader } from './sealed-box.js';
import { InvalidPublicKeyError, type KemName, SEED_BYTES, sealingSuites } from './sealing-suites.js';

const X25519_BYTES = 32;

/** Names what is sealed, and for whom: the recipient must name the same. */
export interface SealingInfo {
  /** Such as `share/v1` */
  readonly purpose: string;
  readonly [entry: string]: string;
}

/** What a key pair is, all of it public. */
export interface SealingKeyParameters {
  /** 16 lower-case hex characters */
  readonly id: string;
  readonly owner: string;
  readonly kem: KemName;
}

/** A checked public key to seal to: a user's own, or the public half of a key pair that is kept here. */
export class SealingPublicKey {
  readonly id: string;
  readonly owner: string;
  readonly kem: KemName;
  /** The key as HPKE serialises it: 1216 bytes of MLKEM768-X25519, 32 of X25519 */
  readonly bytes: Buffer;
  readonly #key: Key;
  readonly #header: Buffer;

  private constructor({ id, owner, kem }: SealingKeyParameters, bytes: Buffer, key: Key) {
    this.id = id;
    this.owner = owner;
    this.kem = kem;
    this.bytes = bytes;
    this.#key = key;
    this.#header = encodeBoxHeader(kem, id);
  }

  /**
   * @throws InvalidPublicKeyError for another length, coefficients out of range (FIPS 203, 7.2) and an X25519
   * point of low order, all zeros among them, whose shared secret everybody knows (RFC 7748, 6.1)
   */
  static async import(parameters: SealingKeyParameters, bytes: Uint8Array): Promise<SealingPublicKey> {
    const { publicKeyBytes, hpke } = sealingSuites[parameters.kem];
    if (bytes.length !== publicKeyBytes) {
      throw new InvalidPublicKeyError(
        `public key of ${parameters.kem} is ${bytes.length} bytes, want ${publicKeyBytes}`,
      );
    }
    const copy = Buffer.from(bytes);
    let key: Key;
    try {
      refuseLowOrder(copy.subarray(-X25519_BYTES));
      key = await hpke().DeserializePublicKey(copy);
    } catch (cause) {
      throw new InvalidPublicKeyError(`public key of ${parameters.kem} is not valid`, { cause });
    }
    return new SealingPublicKey(parameters, copy, key);
  }

  /** Gives a sealed box: see `sealed-box.ts` for its bytes. `info` is authenticated and not stored. */
  async seal(plaintext: Uint8Array, info: SealingInfo): Promise<Buffer> {
    const hpke = sealingSuites[this.kem].hpke();
    const options = { info: boundContext(this.#header, info) };
    const { encapsulatedSecret, ciphertext } = await hpke.Seal(this.#key, plaintext, options);
    return Buffer.concat([this.#header, encapsulatedSecret, ciphertext]);
  }
}

/** A recipient's key pair, made of a seed. Logging or serialising the object shows nothing secret. */
export class SealingKeyPair {
  readonly publicKey: SealingPublicKey;
  readonly #pair: KeyPair;
  readonly #header: Buffer;

  private constructor(publicKey: SealingPublicKey, pair: KeyPair) {
    this.publicKey = publicKey;
    this.#pair = pair;
    this.#header = encodeBoxHeader(publicKey.kem, publicKey.id);
  }

  /**
   * DeriveKeyPair of HPKE (RFC 9180, 7.1.3), the same on every runtime. The seed is the form to store: the
   * PKCS#8 form of ML-KEM keys is not the same on Node 24 and 26.
   *
   * Takes the seed over: it is filled with zeros, also when it is refused.
   *
   * @param seed 32 uniformly random bytes, used for this key pair only
   * @throws RangeError for another length
   */
  static async import(parameters: SealingKeyParameters, seed: Uint8Array): Promise<SealingKeyPair> {
    try {
      if (seed.length !== SEED_BYTES) {
        throw new RangeError(`seed ${parameters.id} is ${seed.length} bytes, want ${SEED_BYTES}`);
      }
      const hpke = sealingSuites[parameters.kem].hpke();
      const pair = await hpke.DeriveKeyPair(seed);
      const bytes = await hpke.SerializePublicKey(pair.publicKey);
      return new SealingKeyPair(await SealingPublicKey.import(parameters, bytes), pair);
    } finally {
      seed.fill(0);
    }
  }

  /** @throws DecryptionError for a box to another key, other info, or any changed, missing or added byte */
  async open(box: Uint8Array, info: SealingInfo): Promise<Buffer> {
    const { id, kem } = this.publicKey;
    const { encapsulatedBytes, hpke } = sealingSuites[kem];
    if (!this.#header.equals(box.subarray(0, BOX_HEADER_BYTES))) throw new DecryptionError(id);
    const encapsulated = box.subarray(BOX_HEADER_BYTES, BOX_HEADER_BYTES + encapsulatedBytes);
    const ciphertext = box.subarray(BOX_HEADER_BYTES + encapsulatedBytes);
    const options = { info: boundContext(this.#header, info) };
    try {
      return Buffer.from(await hpke().Open(this.#pair, encapsulated, ciphertext, options));
    } catch {
      // A damaged encapsulated secret mostly gives another secret and no error (FIPS 203, 6.3): the tag decides.
      throw new DecryptionError(id);
    }
  }
}

/** Agrees with a key of ours: OpenSSL refuses a shared secret of all zeros, which a point of low order gives. */
function refuseLowOrder(point: Buffer): void {
  const jwk = { kty: 'OKP', crv: 'X25519', x: point.toString('base64url') };
  const { privateKey } = generateKeyPairSync('x25519');
  diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }).fill(0);
}
