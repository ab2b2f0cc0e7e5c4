import { type EncryptionContext } from '../crypto/encryption-context.js';
import { type StringRecord } from '../common/string-record.js';
import { SYSTEM_OWNER } from '../keys/key-purposes.js';

/** What a token of a share begins with. */
export const SHARE_TOKEN_PREFIX = 'share';

export const shareStates = ['active', 'used', 'expired'] as const;
export type ShareState = (typeof shareStates)[number];

export interface NewShare {
  readonly data: StringRecord;
  /** How often it can be revealed. */
  readonly views: number;
  readonly expiresAt?: Date;
  readonly passphrase?: string;
}

export interface CreatedShare {
  readonly id: string;
  /** Shown this once. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly views: number;
}

/** What anybody may know who has the link. */
export interface PublicShare {
  readonly id: string;
  readonly viewsLeft: number;
  readonly expiresAt: Date;
  readonly needsPassphrase: boolean;
}

/** A share with its receipt, for its owner. */
export interface OwnShare extends PublicShare {
  readonly state: ShareState;
  readonly views: number;
  readonly createdAt: Date;
  /** Each time, the first one first. */
  readonly revealedAt: readonly Date[];
}

export interface RevealedShare {
  readonly data: StringRecord;
  readonly viewsLeft: number;
}

/** Binds the data to the share and its owner. */
export function dataContext(owner: string, shareId: string): EncryptionContext {
  return { purpose: 'share', owner, table: 'shares', column: 'ciphertext', row: shareId };
}

/** Under the pepper, as every hash of something a person has to remember. */
export function passphraseContext(shareId: string): EncryptionContext {
  return {
    purpose: 'password-pepper',
    owner: SYSTEM_OWNER,
    table: 'shares',
    column: 'passphrase_ciphertext',
    row: shareId,
  };
}
