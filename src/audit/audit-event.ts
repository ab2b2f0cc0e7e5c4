import { type AuditAction } from './audit-actions.js';

/** What happened, as the one who saw it tells it. */
export interface NewAuditEvent {
  /** The id of the user who acted, `system` for the server itself, or null for somebody not signed in. */
  readonly actor: string | null;
  readonly action: AuditAction;
  /** What it was done to, as `<kind>:<id>`, such as `session:0190…`; no e-mail address, token or other secret. */
  readonly target?: string;
  /** The user whose account or object it concerns, where that is not the actor: they see the event too. */
  readonly ownerId?: string;
  readonly outcome: 'success' | 'failure';
  /**
   * An e-mail address or token that it was about. Only its digest is stored, by which `audit contains` finds it;
   * none of a secret's data, whose digest would outlive it.
   */
  readonly value?: string;
  /** Absent for what no request caused, as are the members of `RequestOrigin` below. */
  readonly ip?: string;
  readonly requestId?: string;
}

/** An event and when it happened, to be appended to the log. */
export interface DatedEvent extends NewAuditEvent {
  readonly atMs: number;
}

/** One entry of the log. */
export interface AuditEvent extends Omit<NewAuditEvent, 'value'> {
  /** 1, 2, 3 …, without a gap. */
  readonly seq: number;
  readonly at: Date;
}
