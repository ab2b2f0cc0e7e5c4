import { IsIn, IsOptional, Matches } from 'class-validator';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page, PageQuery } from '../common/pagination.js';
import { type AuditAction, auditActions } from './audit-actions.js';
import { type AuditEvent } from './audit-event.js';

const nullableText = { type: 'string', nullable: true } as const;

export class AuditQuery extends PageQuery {
  @ApiPropertyOptional({ enum: auditActions })
  @IsOptional()
  @IsIn(auditActions, { message: 'action must be one that is recorded' })
  readonly action?: AuditAction;

  @ApiPropertyOptional({ format: 'uuid', description: "another user's events, for administrators" })
  @IsOptional()
  @Matches(/^[0-9a-f-]{36}$/, { message: 'userId must be the id of a user' })
  readonly userId?: string;
}

class AuditEventResponse {
  @ApiProperty({ type: 'integer' })
  readonly seq: number;

  @ApiProperty({ format: 'date-time' })
  readonly at: string;

  @ApiProperty({ ...nullableText, description: 'the id of a user, or `system`; null when not signed in' })
  readonly actor: string | null;

  @ApiProperty({ enum: auditActions })
  readonly action: AuditAction;

  @ApiProperty({ ...nullableText, example: 'session:01901d2f-6b3c-7e57-9d0c-5b8f4f1d2a3b' })
  readonly target: string | null;

  @ApiProperty({ enum: ['success', 'failure'] })
  readonly outcome: 'success' | 'failure';

  @ApiProperty({ ...nullableText, description: 'null for what somebody else did' })
  readonly ip: string | null;

  @ApiProperty(nullableText)
  readonly requestId: string | null;

  /** @param readerId - the user whose log this is: they don't learn the address of somebody else */
  constructor(event: AuditEvent, readerId: string | undefined) {
    // Nobody is signed in who reveals a share, nor who fails to sign in: but only one of them is after this account.
    const isOthers = event.actor === null ? event.action === 'share.reveal' : event.actor !== readerId;
    const isHidden = readerId !== undefined && isOthers;
    this.seq = event.seq;
    this.at = isoTime(event.at);
    this.actor = event.actor;
    this.action = event.action;
    this.target = event.target ?? null;
    this.outcome = event.outcome;
    this.ip = isHidden ? null : (event.ip ?? null);
    this.requestId = isHidden ? null : (event.requestId ?? null);
  }
}

export class AuditEventsResponse {
  @ApiProperty({ type: [AuditEventResponse] })
  readonly items: AuditEventResponse[];

  @ApiProperty(nullableText)
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<AuditEvent>, readerId: string | undefined) {
    this.items = items.map((event) => new AuditEventResponse(event, readerId));
    this.nextCursor = nextCursor;
  }
}

export class AuditCheckpointResponse {
  @ApiProperty({ type: 'integer', description: 'the event up to which it speaks' })
  readonly seq!: number;

  @ApiProperty({ format: 'date-time' })
  readonly at!: string;

  @ApiProperty({ description: 'of the key that signed' })
  readonly keyId!: string;

  @ApiProperty({ description: 'of that event, base64url' })
  readonly mac!: string;

  @ApiProperty({ description: 'base64url' })
  readonly signature!: string;
}

export class AuditVerificationResponse {
  @ApiProperty({ type: 'integer', description: 'how many events are as they were written' })
  readonly verified!: number;
}
