import { timingSafeEqual } from 'node:crypto';
import { OneShotHmac } from './one-shot-hmac.js';

const KEY_BYTES = 32;
/** Enough for most messages. A longer one gets memory of its own. */
const SCRATCH_BYTES = 1024;

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
  readonly #hmac: OneShotHmac;
  /** Kept, because everything here is synchronous. */
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);

  private constructor({ id, purpose }: MacKeyParameters, key: Uint8Array) {
    this.id = id;
    this.purpose = purpose;
    this.#hmac = new OneShotHmac('sha256', key);
    this.#scratch.set(this.#hmac.innerKey);
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
      return new MacKey(parameters, rawKey);
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
    const { innerKey } = this.#hmac;
    const length = innerKey.length + message.length;
    const isShort = length <= SCRATCH_BYTES;
    const input = isShort ? this.#scratch.subarray(0, length) : Buffer.concat([innerKey, message]);
    if (isShort) input.set(message, innerKey.length);
    return this.#hmac.digest(input, 'buffer');
  }

  /** Whether these are the bytes that `mac` gives, in constant time. */
  verify(message: Uint8Array, mac: Uint8Array): boolean {
    const expected = this.mac(message);
    return mac.length === expected.length && timingSafeEqual(mac, expected);
  }
}
