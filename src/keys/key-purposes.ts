import { type KemName } from '../crypto/sealing-suites.js';
import { type SuiteName } from '../crypto/suites.js';
import { PUBLISHED_MS, SETTLE_MS } from './key-waits.js';

/** The owner of keys that belong to the deployment and to no user. */
export const SYSTEM_OWNER = 'system';

/** Of the rows that stand for root keys. They are held elsewhere and rotated by `root promote`. */
export const ROOT_PURPOSE = 'root';

export type KeySuite = SuiteName | KemName | 'ES256' | 'Ed25519' | 'HMAC-SHA-256';

interface KeyPurpose {
  /**
   * What a new key computes. A key has one suite and one purpose, checked on use, and keeps its suite: after a
   * change here, a rotation brings the rows to the new one.
   */
  readonly suite: KeySuite;
  /** The purpose of the key that wraps it, per kind of owner; `root` is the root key. */
  readonly wrappedBy: { readonly user?: KeyPurposeName | 'root'; readonly system?: KeyPurposeName | 'root' };
  /** Encrypts exactly one value and is destroyed with it. */
  readonly isPerValue?: boolean;
  /** Never made on demand: a missing one means that it was destroyed. */
  readonly isExplicit?: boolean;
  /** A new key is known everywhere for so long, as PENDING, before it becomes primary. */
  readonly pendingMs?: number;
  /** Never destroyed: what it authenticated stays, and nothing can bring that to another key. */
  readonly isPermanent?: boolean;
}

export type KeyPurposeName =
  | 'audit-chain'
  | 'audit-kek'
  | 'audit-signing'
  | 'blind-index'
  | 'blind-index-kek'
  | 'contacts'
  | 'device-token'
  | 'email'
  | 'password-pepper'
  | 'refresh-token'
  | 'refresh-token-kek'
  | 'sealing'
  | 'secret'
  | 'share'
  | 'token-signing'
  | 'token-signing-kek'
  | 'totp'
  | 'user-kek';

/**
 * Every kind of key and its place in the hierarchy: root key → key-encryption key (KEK) → data key.
 * KEKs: one per user, and one each for the system's tokens, indexes and audit. The pepper and the key of device
 * tokens are used directly.
 */
export const keyPurposes: Readonly<Record<KeyPurposeName, KeyPurpose>> = {
  'user-kek': { suite: 'XAES-256-GCM', wrappedBy: { user: 'root' }, isExplicit: true },
  contacts: { suite: 'XAES-256-GCM', wrappedBy: { user: 'user-kek' } },
  email: { suite: 'XAES-256-GCM', wrappedBy: { user: 'user-kek' } },
  secret: { suite: 'COBBLESTONE-256', wrappedBy: { user: 'user-kek' }, isPerValue: true },
  share: { suite: 'COBBLESTONE-256', wrappedBy: { user: 'user-kek' }, isPerValue: true },
  sealing: { suite: 'MLKEM768-X25519', wrappedBy: { user: 'user-kek' } },
  totp: { suite: 'XAES-256-GCM', wrappedBy: { user: 'user-kek' } },
  // Looked up before it is used: otherwise two instances could index one e-mail address under different keys.
  'blind-index': {
    suite: 'HMAC-SHA-256',
    wrappedBy: { user: 'user-kek', system: 'blind-index-kek' },
    pendingMs: SETTLE_MS,
  },
  'blind-index-kek': { suite: 'XAES-256-GCM', wrappedBy: { system: 'root' } },
  'token-signing': { suite: 'ES256', wrappedBy: { system: 'token-signing-kek' }, pendingMs: PUBLISHED_MS },
  'token-signing-kek': { suite: 'XAES-256-GCM', wrappedBy: { system: 'root' } },
  'refresh-token': { suite: 'HMAC-SHA-256', wrappedBy: { system: 'refresh-token-kek' } },
  'refresh-token-kek': { suite: 'XAES-256-GCM', wrappedBy: { system: 'root' } },
  'audit-chain': { suite: 'HMAC-SHA-256', wrappedBy: { system: 'audit-kek' }, isPermanent: true },
  'audit-signing': { suite: 'Ed25519', wrappedBy: { system: 'audit-kek' }, isPermanent: true },
  'audit-kek': { suite: 'XAES-256-GCM', wrappedBy: { system: 'root' } },
  'device-token': { suite: 'XAES-256-GCM', wrappedBy: { system: 'root' } },
  'password-pepper': { suite: 'XAES-256-GCM', wrappedBy: { system: 'root' } },
};

/**
 * Purposes with a key for each value. Such a key has no next one, so only a rotation itself knows that its value was to
 * get another.
 */
export const valuePurposes = Object.entries(keyPurposes)
  .filter(([, { isPerValue = false }]) => isPerValue)
  .map(([name]) => name);

/**
 * The purpose of a name, and the one that wraps it for this owner.
 *
 * @throws {TypeError} for an unknown purpose or one that this owner can't have: a mistake in the code
 */
export function keyPurpose(name: string, ownerId: string): KeyPurpose & { parent: KeyPurposeName | 'root' } {
  const purpose = Object.hasOwn(keyPurposes, name) ? keyPurposes[name as KeyPurposeName] : undefined;
  const parent = purpose?.wrappedBy[ownerId === SYSTEM_OWNER ? 'system' : 'user'];
  if (!purpose || !parent) throw new TypeError(`key purpose ${name} is not known for this owner`);
  return { ...purpose, parent };
}
