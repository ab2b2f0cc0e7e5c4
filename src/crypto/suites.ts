import { type Aead } from './aead.js';
import { ChunkedEncryption } from './chunked-encryption.js';
import { Xaes256Gcm } from './xaes-256-gcm.js';

export type SuiteName = 'COBBLESTONE-256' | 'XAES-256-GCM';
export type SuiteId = 0x01 | 0x02;

/** The length of every suite's raw key. */
export const KEY_BYTES = 32;

export interface Suite {
  /** The byte that names the suite in an envelope. It is never given to another suite. */
  readonly id: SuiteId;
  /** @param rawKey 32 bytes. The caller fills them with zeros afterwards. */
  import(rawKey: Uint8Array): Aead;
}

/**
 * The default is COBBLESTONE-256: key-committing, any size. XAES-256-GCM is 32 bytes shorter and
 * faster for short values, and fit where the key id fixes the key.
 */
export const suites: Readonly<Record<SuiteName, Suite>> = {
  'COBBLESTONE-256': { id: 0x01, import: (rawKey) => new ChunkedEncryption(rawKey) },
  'XAES-256-GCM': { id: 0x02, import: (rawKey) => new Xaes256Gcm(rawKey) },
};

const names = new Map<number, SuiteName>(
  Object.keys(suites)
    .filter(isSuiteName)
    .map((name) => [suites[name].id, name]),
);

/** The suite that an envelope's second byte names, or `undefined`. */
export function suiteNameOf(id: number): SuiteName | undefined {
  return names.get(id);
}

function isSuiteName(name: string): name is SuiteName {
  return Object.hasOwn(suites, name);
}
