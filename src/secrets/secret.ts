import { type EncryptionContext } from '../crypto/encryption-context.js';
import { type ListedSecret } from './secrets.repository.js';

export type StringRecord = Readonly<Record<string, string>>;
export type SecretState = 'active' | 'deleted' | 'expired';

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
export function toVersion(
  row: Pick<ListedSecret, 'version' | 'created_at' | 'expires_at' | 'deleted_at'>,
  nowMs: number,
): SecretVersion {
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
    metadata: parseRecord(row.metadata),
    updatedAt: new Date(row.updated_at),
  };
}

function stateOf(row: Pick<ListedSecret, 'expires_at' | 'deleted_at'>, nowMs: number): SecretState {
  if (row.deleted_at !== null) return 'deleted';
  return row.expires_at !== null && row.expires_at <= nowMs ? 'expired' : 'active';
}

/** A column of JSON that this application wrote. */
export function parseRecord(json: string): StringRecord {
  return JSON.parse(json) as StringRecord;
}
