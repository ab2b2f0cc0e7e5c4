import { type ColumnType } from 'kysely';

// As in `schema.ts`: times are Unix milliseconds, MACs and signatures bytes, key ids 16 hexadecimal characters.

type Immutable<T> = ColumnType<T, T, never>;

interface AuditEventsTable {
  /** 1, 2, 3 …, without a gap. */
  seq: Immutable<number>;
  at: Immutable<number>;
  /** The user who acted, `system`, or null for somebody not signed in. */
  actor: Immutable<string | null>;
  /** The user whose account or object it concerns, where that is not the actor. */
  owner_id: Immutable<string | null>;
  action: Immutable<string>;
  target: Immutable<string | null>;
  outcome: Immutable<'success' | 'failure'>;
  ip: Immutable<string | null>;
  request_id: Immutable<string | null>;
  /** Finds a value that is not stored. */
  value_digest: Immutable<Uint8Array | null>;
  /** The audit key that `mac` and `value_digest` are made with. */
  key_id: Immutable<string>;
  /** Links the event to the one before it: see `audit-chain.ts`. */
  mac: Immutable<Uint8Array>;
}

interface AuditHeadTable {
  /** 1: there is one row. */
  id: Immutable<number>;
  /** Of the latest event; 0 before the first. */
  seq: number;
  /** Of the latest event; zeros before the first. */
  mac: Uint8Array;
  /** The audit key of `head_mac`. */
  key_id: string | null;
  /** Of the two above, so that nobody else can set the end of the log back; null before the first event. */
  head_mac: Uint8Array | null;
}

interface AuditCheckpointsTable {
  /** The event up to which it speaks. */
  seq: Immutable<number>;
  at: Immutable<number>;
  /** Of that event. */
  mac: Immutable<Uint8Array>;
  signature: Immutable<Uint8Array>;
}

/** The tables of the audit log. */
export interface AuditSchema {
  audit_events: AuditEventsTable;
  audit_head: AuditHeadTable;
  audit_checkpoints: AuditCheckpointsTable;
}
