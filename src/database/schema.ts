import { type Generated } from 'kysely';
import { type Immutable } from './immutable.js';
import {
  type GrantsTable,
  type SecretsTable,
  type SecretVersionsTable,
  type ShareRevealsTable,
  type SharesTable,
} from './secret-tables.js';
import { type AuditSchema } from './audit-schema.js';
import { type CredentialsSchema } from './credentials-schema.js';

// Times are Unix milliseconds, digests and ciphertexts bytes, key ids 16 hexadecimal characters.

interface KeysTable {
  id: Immutable<string>;
  /** The key that wraps this one: a root key id or another row. */
  parent_id: string;
  owner_id: Immutable<string>;
  purpose: Immutable<string>;
  suite: Immutable<string>;
  version: Immutable<number>;
  state: 'PENDING' | 'PRIMARY' | 'DECRYPT_ONLY' | 'DISABLED' | 'DESTROYED';
  /** Null once destroyed. */
  wrapped: Uint8Array | null;
  created_at: Immutable<number>;
  /** When it became primary, or will: a PENDING key waits for this time. */
  activated_at: number | null;
  /** From then on it may not even verify. */
  not_after: number | null;
  destroyed_at: number | null;
}

interface KeyJobsTable {
  id: Immutable<string>;
  kind: Immutable<'PROMOTE' | 'REWRAP' | 'REENCRYPT' | 'REENCRYPT_VALUES'>;
  purpose: Immutable<string>;
  owner_id: Immutable<string>;
  /** The key that was primary when the job began; null where each value has its own. */
  from_key_id: Immutable<string | null>;
  /** The key id up to which a job that walks keys has come. */
  position: string;
  /** Who works on it, until when: after that anybody may take it over. */
  lease_owner: string | null;
  lease_until: number | null;
  done: number;
  total: Immutable<number>;
  created_at: Immutable<number>;
  finished_at: number | null;
  /** How much was still under retired keys when it ended, since it could not be decrypted. */
  remaining: number | null;
}

interface UsersTable {
  id: Immutable<string>;
  email_ciphertext: Uint8Array;
  email_key_id: string;
  email_index: Uint8Array;
  /** The encrypted PHC string. */
  password_ciphertext: Uint8Array;
  password_key_id: string;
  /** When the user chose it. */
  password_changed_at: number;
  /** Space-separated. */
  roles: string;
  created_at: Immutable<number>;
  disabled_at: number | null;
}

interface SessionsTable {
  id: Immutable<string>;
  user_id: Immutable<string>;
  created_at: Immutable<number>;
  last_used_at: number;
  idle_expires_at: number;
  expires_at: Immutable<number>;
  ip: string;
  user_agent: string;
  /** Authentication methods (RFC 8176), space-separated. */
  amr: string;
  auth_time: number;
  revoked_at: number | null;
}

interface RefreshTokensTable {
  digest: Immutable<Uint8Array>;
  session_id: Immutable<string>;
  created_at: Immutable<number>;
  used_at: number | null;
  /** The key that derived its successor, once it is used. */
  successor_key_id: string | null;
}

interface AttemptFailuresTable {
  kind: Immutable<string>;
  subject: Immutable<string>;
  /** Wrong guesses since the last right one. */
  failures: number;
  /** Until then every guess is refused; in the past when none is. */
  blocked_until: number;
  failed_at: number;
}

interface ContactsTable {
  id: Immutable<string>;
  owner_id: Immutable<string>;
  key_id: string;
  ciphertext: Uint8Array;
  email_index: Uint8Array | null;
  version: Generated<number>;
  created_at: Immutable<number>;
  updated_at: number;
}

/** Every table, for both databases. The migrations make exactly this. */
export interface Schema extends AuditSchema, CredentialsSchema {
  keys: KeysTable;
  key_jobs: KeyJobsTable;
  users: UsersTable;
  sessions: SessionsTable;
  refresh_tokens: RefreshTokensTable;
  attempt_failures: AttemptFailuresTable;
  secrets: SecretsTable;
  secret_versions: SecretVersionsTable;
  grants: GrantsTable;
  shares: SharesTable;
  share_reveals: ShareRevealsTable;
  contacts: ContactsTable;
}
