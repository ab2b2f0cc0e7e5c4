import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;

/** What a key is, all of it public. */
export interface MacKeyParameters {
  /** 16 lower-case hex characters */
  readonly id: string;
  readonly purpose: string;
}

/**
 * Authenticates messages with HMAC-SHA-256 (RFC 2104). Whoever has the key can make a MAC as well as check it, so
 * it proves to the deployment itself, and to nobody else, that the deployment wrote something.
 */
export class MacKey {
  readonly id: string;
  readonly purpose: string;
  readonly #key: KeyObject;

  private constructor({ id, purpose }: MacKeyParameters, key: KeyObject) {
    this.id = id;
    this.purpose = purpose;
    this.#key = key;
  }

  /**
   * Takes the key over: `rawKey` is filled with zeros, also when it is refused.
   *
   * @param rawKey 32 bytes
   * @throws RangeError for another length
   */
  static import(parameters: MacKeyParameters, rawKey: Uint8Array): MacKey {
    try {
      if (rawKey.length !== KEY_BYTES) {
        throw new RangeError(`MAC key ${parameters.id} is ${rawKey.length} bytes, want ${KEY_BYTES}`);
      }
      return new MacKey(parameters, createSecretKey(rawKey));
    } finally {
      rawKey.fill(0);
    }
  }

  /**
   * 32 bytes.
   *
   * @param message begins with a label that no other kind of message under this key begins with
   */
  mac(message: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(message).digest();
  }

  /** Whether these are the bytes that `mac` gives, in constant time. */
  verify(message: Uint8Array, mac: Uint8Array): boolean {
    const expected = this.mac(message);
    return mac.length === expected.length && timingSafeEqual(mac, expected);
  }
}
