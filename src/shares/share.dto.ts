import { IsInt, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { Absent } from '../common/absent.js';
import { IsTime } from '../common/future-time.js';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page } from '../common/pagination.js';
import { IsStringRecord, type StringRecord, stringRecordSchema } from '../common/string-record.js';
import {
  type CreatedShare,
  type OwnShare,
  type PublicShare,
  type RevealedShare,
  type ShareState,
  shareStates,
} from './share.js';

const MAX_VIEWS = 100;
const MAX_PASSPHRASE_LENGTH = 200;

export class CreateShareBody {
  @ApiProperty({ ...stringRecordSchema, example: { password: 'maple otter drifts at noon' } })
  @IsStringRecord()
  readonly data!: StringRecord;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_VIEWS, default: 1 })
  @Absent()
  @Max(MAX_VIEWS)
  @Min(1)
  @IsInt()
  readonly views?: number;

  @ApiPropertyOptional({ format: 'date-time', description: 'within 90 days; in 7 days when absent' })
  @Absent()
  @IsTime()
  readonly expiresAt?: string;

  @ApiPropertyOptional({ description: 'to be told on another way than the link' })
  @Absent()
  @MaxLength(MAX_PASSPHRASE_LENGTH)
  @MinLength(1)
  @IsString()
  readonly passphrase?: string;
}

export class RevealShareBody {
  @ApiProperty()
  @MaxLength(MAX_PASSPHRASE_LENGTH)
  @IsString()
  readonly token!: string;

  @ApiPropertyOptional()
  @Absent()
  @MaxLength(MAX_PASSPHRASE_LENGTH)
  @IsString()
  readonly passphrase?: string;
}

export class CreatedShareResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty({ description: 'shown this once' })
  readonly token: string;

  @ApiProperty({ description: 'a page for people; the token is behind the #, which no server is sent' })
  readonly url: string;

  @ApiProperty({ type: 'integer' })
  readonly views: number;

  @ApiProperty({ format: 'date-time' })
  readonly expiresAt: string;

  /** @param baseUrl - where people reach this server */
  constructor({ id, token, views, expiresAt }: CreatedShare, baseUrl: string) {
    this.id = id;
    this.token = token;
    this.url = new URL(`/s/${id}#${token}`, baseUrl).href;
    this.views = views;
    this.expiresAt = isoTime(expiresAt);
  }
}

export class PublicShareResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty({ type: 'integer' })
  readonly viewsLeft: number;

  @ApiProperty({ format: 'date-time' })
  readonly expiresAt: string;

  @ApiProperty()
  readonly needsPassphrase: boolean;

  constructor(share: PublicShare) {
    this.id = share.id;
    this.viewsLeft = share.viewsLeft;
    this.expiresAt = isoTime(share.expiresAt);
    this.needsPassphrase = share.needsPassphrase;
  }
}

class OwnShareResponse extends PublicShareResponse {
  @ApiProperty({ enum: shareStates })
  readonly state: ShareState;

  @ApiProperty({ type: 'integer' })
  readonly views: number;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty({ type: [String], format: 'date-time', description: 'each time, the first one first' })
  readonly revealedAt: readonly string[];

  constructor(share: OwnShare) {
    super(share);
    this.state = share.state;
    this.views = share.views;
    this.createdAt = isoTime(share.createdAt);
    this.revealedAt = share.revealedAt.map((time) => isoTime(time));
  }
}

export class OwnSharesResponse {
  @ApiProperty({ type: [OwnShareResponse] })
  readonly items: OwnShareResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<OwnShare>) {
    this.items = items.map((share) => new OwnShareResponse(share));
    this.nextCursor = nextCursor;
  }
}

export class RevealedShareResponse {
  @ApiProperty(stringRecordSchema)
  readonly data: StringRecord;

  @ApiProperty({ type: 'integer' })
  readonly viewsLeft: number;

  constructor({ data, viewsLeft }: RevealedShare) {
    this.data = data;
    this.viewsLeft = viewsLeft;
  }
}
