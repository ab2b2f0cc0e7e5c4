import { type SealingInfo } from '../crypto/sealing-key.js';
import { type KemName } from '../crypto/sealing-suites.js';
import { type Secret } from './secret.js';

/** A grant as its giver sees it. */
export interface GivenGrant {
  readonly id: string;
  readonly name: string;
  readonly recipientId: string;
  /** Null follows the latest version. */
  readonly version: number | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

/** A grant as its recipient sees it. */
export interface ReceivedGrant extends Omit<GivenGrant, 'recipientId'> {
  readonly ownerId: string;
}

/** What the recipient gets: the data, or a box that only they can open. */
export interface OpenedGrant {
  readonly id: string;
  readonly ownerId: string;
  readonly secret: Pick<Secret, 'name' | 'version' | 'createdAt' | 'expiresAt'>;
  readonly content:
    | { readonly data: Secret['data'] }
    | { readonly sealed: Buffer; readonly kem: KemName; readonly info: SealingInfo };
}

/** Names what is sealed and for whom, so a box can't be taken for that of another secret, version or owner. */
export function sealingInfo(
  ownerId: string,
  { name, version }: Pick<Secret, 'name' | 'version'>,
  recipientId: string,
): SealingInfo {
  return {
    purpose: 'share/v1',
    owner: ownerId,
    secret: name,
    version: String(version),
    recipient: recipientId,
  };
}
