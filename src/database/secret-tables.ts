import { type Immutable } from './immutable.js';

// What `schema.ts` says of columns holds here too.

export interface SecretsTable {
  id: Immutable<string>;
  owner_id: Immutable<string>;
  name: Immutable<string>;
  /** A JSON object of strings, not encrypted. */
  metadata: string;
  cas_required: number;
  latest_version: number;
  /** Changes of the metadata since the latest version was written. */
  metadata_revision: number;
  created_at: Immutable<number>;
  updated_at: number;
}

export interface SecretVersionsTable {
  secret_id: Immutable<string>;
  version: Immutable<number>;
  /** Empty once the key is destroyed, and so is the ciphertext. */
  key_id: string;
  ciphertext: Uint8Array;
  created_at: Immutable<number>;
  expires_at: number | null;
  deleted_at: number | null;
  destroyed_at: number | null;
}

export interface GrantsTable {
  id: Immutable<string>;
  secret_id: Immutable<string>;
  recipient_id: Immutable<string>;
  /** Null follows the latest one. */
  version: Immutable<number | null>;
  created_at: Immutable<number>;
  expires_at: Immutable<number | null>;
}

export interface SharesTable {
  id: Immutable<string>;
  owner_id: Immutable<string>;
  token_digest: Immutable<Uint8Array>;
  /** Empty once the key is destroyed, and so is the ciphertext. */
  key_id: string;
  ciphertext: Uint8Array;
  passphrase_key_id: string | null;
  /** The encrypted PHC string. */
  passphrase_ciphertext: Uint8Array | null;
  views: Immutable<number>;
  views_left: number;
  created_at: Immutable<number>;
  expires_at: Immutable<number>;
}

export interface ShareRevealsTable {
  share_id: Immutable<string>;
  /** 1 for the first. */
  view: Immutable<number>;
  revealed_at: Immutable<number>;
}
