import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { foldCase } from './fold-case.js';

const KEY_BYTES = 32;
const VERSION_BYTES = 4;
const HASH_BYTES = 16;
const MAX_VERSION = 0xffffffff;
const INFO_LABEL = 'blind-index/v1';

/** Which index a value is looked up in. Indexes of other owners, tables and columns can't be compared with it. */
export interface BlindIndexColumn {
  readonly owner: string;
  readonly table: string;
  readonly column: string;
}

export interface BlindIndexKeyParameters {
  /** 0 to 2^32 - 1, stored in front of every hash so that a rotation can tell old ones from new */
  readonly version: number;
  readonly owner: string;
}

/**
 * Finds equal values without decrypting them: equal inputs of one owner and column give equal bytes, so
 * a database can compare them. It therefore shows which rows are equal, and nothing else without the key.
 * Across owners, tables and columns nothing can be compared, because each has its own key.
 */
export class BlindIndexKey {
  readonly version: number;
  readonly owner: string;
  readonly #key: KeyObject;
  /** Tables and columns are named in code, so this stays as small as the schema. */
  readonly #columnKeys = new Map<string, KeyObject>();

  private constructor(parameters: BlindIndexKeyParameters, key: KeyObject) {
    this.version = parameters.version;
    this.owner = parameters.owner;
    this.#key = key;
  }

  /**
   * Takes the key over: `rawKey` is filled with zeros, also when it is refused.
   *
   * @param rawKey 32 bytes
   * @throws RangeError for another length or a version that does not fit 32 bits
   */
  static import(parameters: BlindIndexKeyParameters, rawKey: Uint8Array): BlindIndexKey {
    try {
      if (rawKey.length !== KEY_BYTES) {
        throw new RangeError(`index key ${parameters.version} is ${rawKey.length} bytes, want ${KEY_BYTES}`);
      }
      if (
        !Number.isInteger(parameters.version) ||
        parameters.version < 0 ||
        parameters.version > MAX_VERSION
      ) {
        throw new RangeError(`index key version is ${parameters.version}, want 0 to ${MAX_VERSION}`);
      }
      return new BlindIndexKey(parameters, createSecretKey(rawKey));
    } finally {
      rawKey.fill(0);
    }
  }

  /**
   * Key version as u32 big-endian ‖ the first 16 bytes of HMAC-SHA-256 over the folded value: 20 bytes.
   * At 16 bytes two values that share an index by chance are not to be expected.
   */
  index(value: string, table: string, column: string): Buffer {
    const output = Buffer.allocUnsafe(VERSION_BYTES + HASH_BYTES);
    output.writeUInt32BE(this.version);
    const hmac = createHmac('sha256', this.#columnKey(table, column)).update(foldCase(value), 'utf8');
    hmac.digest().copy(output, VERSION_BYTES, 0, HASH_BYTES);
    return output;
  }

  #columnKey(table: string, column: string): KeyObject {
    // JSON of the three strings is unambiguous: ("ab", "c") and ("a", "bc") give different keys.
    const info = JSON.stringify([INFO_LABEL, table, column]);
    const cached = this.#columnKeys.get(info);
    if (cached !== undefined) return cached;

    const raw = Buffer.from(hkdfSync('sha256', this.#key, Buffer.alloc(0), info, KEY_BYTES));
    const key = createSecretKey(raw);
    raw.fill(0);
    this.#columnKeys.set(info, key);
    return key;
  }
}

/** The indexes that a key of this version made, as an inclusive range of a database's bytewise order. */
export function blindIndexRange(version: number): { readonly from: Buffer; readonly to: Buffer } {
  const from = Buffer.alloc(VERSION_BYTES + HASH_BYTES);
  from.writeUInt32BE(version);
  const to = Buffer.from(from).fill(0xff, VERSION_BYTES);
  return { from, to };
}
