import { type EncryptionContext } from '../crypto/encryption-context.js';
import { parseStringRecord, type StringRecord } from '../common/string-record.js';
import { type ListedSecret } from './secrets.repository.js';
import { type VersionFacts } from './secret-versions.repository.js';

export const secretStates = ['active', 'deleted', 'destroyed', 'expired'] as const;
export type SecretState = (typeof secretStates)[number];

/** The largest number a version can have, on both databases. */
export const MAX_VERSION = 2_147_483_647;

export interface NewSecretVersion {
  readonly data: StringRecord;
  /** Replaces the metadata of the secret; absent keeps it. */
  readonly metadata?: StringRecord;
  readonly expiresAt?: Date;
  /** From now on every write must name the version it replaces. Absent keeps what was said before. */
  readonly casRequired?: boolean;
}

export interface SecretVersion {
  readonly version: number;
  readonly state: SecretState;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

export interface WrittenSecret extends SecretVersion {
  readonly name: string;
  /** Changes of the metadata since this version was written, for its entity tag. */
  readonly revision: number;
  readonly metadata: StringRecord;
}

export interface Secret extends WrittenSecret {
  readonly data: StringRecord;
}

export interface SecretSummary {
  readonly name: string;
  readonly version: number;
  readonly state: SecretState;
  readonly metadata: StringRecord;
  readonly updatedAt: Date;
}

/** Binds the data of a version to its owner, secret and number. */
export function encryptionContext(owner: string, secretId: string, version: number): EncryptionContext {
  return {
    purpose: 'secret',
    owner,
    table: 'secret_versions',
    column: 'ciphertext',
    row: secretId,
    version: String(version),
  };
}

/** What a row says of a version at this moment. */
export function toVersion(row: VersionFacts, nowMs: number): SecretVersion {
  return {
    version: row.version,
    state: stateOf(row, nowMs),
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
  };
}

export function toSummary(row: ListedSecret, nowMs: number): SecretSummary {
  return {
    name: row.name,
    version: row.version,
    state: stateOf(row, nowMs),
    metadata: parseStringRecord(row.metadata),
    updatedAt: new Date(row.updated_at),
  };
}

/** The strongest says: what is destroyed stays that, and what is deleted can expire and still be undeleted. */
export function stateOf(
  row: Pick<VersionFacts, 'expires_at' | 'deleted_at' | 'destroyed_at'>,
  nowMs: number,
): SecretState {
  if (row.destroyed_at !== null) return 'destroyed';
  if (row.deleted_at !== null) return 'deleted';
  return row.expires_at !== null && row.expires_at <= nowMs ? 'expired' : 'active';
}
