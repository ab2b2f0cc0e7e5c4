import { type ColumnType, type Generated } from 'kysely';

// What an account has beside its password. Units as in `schema.ts`.

type Immutable<T> = ColumnType<T, T, never>;

interface ApiKeysTable {
  id: Immutable<string>;
  user_id: Immutable<string>;
  name: Immutable<string>;
  /** How the key begins, so that people know it again. */
  prefix: Immutable<string>;
  digest: Immutable<Uint8Array>;
  /** Permissions, space-separated. */
  scopes: Immutable<string>;
  created_at: Immutable<number>;
  expires_at: Immutable<number | null>;
  last_used_at: number | null;
}

interface TotpFactorsTable {
  user_id: Immutable<string>;
  seed_ciphertext: Uint8Array;
  seed_key_id: string;
  created_at: Immutable<number>;
  /** Null while no code has proved that the app has the seed. */
  activated_at: number | null;
  /** The latest step (of 30 s) whose code was used: it and those before are used up. */
  last_used_step: number | null;
  /** 1 while the password is too short to do without it, else 0. */
  is_needed: Generated<number>;
}

interface RecoveryCodesTable {
  user_id: Immutable<string>;
  digest: Immutable<Uint8Array>;
}

interface PublicKeysTable {
  owner_id: Immutable<string>;
  key_id: string;
  kem: string;
  public_key: Uint8Array;
  created_at: number;
}

export interface CredentialsSchema {
  api_keys: ApiKeysTable;
  totp_factors: TotpFactorsTable;
  recovery_codes: RecoveryCodesTable;
  public_keys: PublicKeysTable;
}
