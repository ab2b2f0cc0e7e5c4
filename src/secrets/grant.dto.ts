import { Matches, Max, Min, IsInt } from 'class-validator';
import { Absent } from '../common/absent.js';
import { IsTime } from '../common/future-time.js';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page } from '../common/pagination.js';
import { type StringRecord, stringRecordSchema } from '../common/string-record.js';
import { sealingSuites } from '../crypto/sealing-suites.js';
import { type GivenGrant, type OpenedGrant, type ReceivedGrant } from './grant.js';
import { MAX_VERSION } from './secret.js';

const nullableTime = { type: 'string', format: 'date-time', nullable: true } as const;
const versionOrLatest = {
  type: 'integer',
  nullable: true,
  description: 'null follows the latest version',
} as const;

export class CreateGrantBody {
  @ApiProperty({
    format: 'uuid',
    description: 'who may read',
    example: '01901d2f-6b3c-7e57-9d0c-5b8f4f1d2a3b',
  })
  @Matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, { message: 'userId must be the id of a user' })
  readonly userId!: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'follows the latest one when absent' })
  @Absent()
  @Max(MAX_VERSION)
  @Min(1)
  @IsInt()
  readonly version?: number;

  @ApiPropertyOptional({ format: 'date-time', description: 'in the future; nothing can be read afterwards' })
  @Absent()
  @IsTime()
  readonly expiresAt?: string;
}

abstract class GrantResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty({ description: "the secret's" })
  readonly name: string;

  @ApiProperty(versionOrLatest)
  readonly version: number | null;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty(nullableTime)
  readonly expiresAt: string | null;

  constructor(grant: Omit<GivenGrant, 'recipientId'>) {
    this.id = grant.id;
    this.name = grant.name;
    this.version = grant.version;
    this.createdAt = isoTime(grant.createdAt);
    this.expiresAt = grant.expiresAt ? isoTime(grant.expiresAt) : null;
  }
}

export class GivenGrantResponse extends GrantResponse {
  @ApiProperty({ format: 'uuid', description: 'who may read' })
  readonly userId: string;

  constructor(grant: GivenGrant) {
    super(grant);
    this.userId = grant.recipientId;
  }
}

class ReceivedGrantResponse extends GrantResponse {
  @ApiProperty({ format: 'uuid', description: 'whose secret it is' })
  readonly ownerId: string;

  constructor(grant: ReceivedGrant) {
    super(grant);
    this.ownerId = grant.ownerId;
  }
}

export class GivenGrantsResponse {
  @ApiProperty({ type: [GivenGrantResponse] })
  readonly items: GivenGrantResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<GivenGrant>) {
    this.items = items.map((grant) => new GivenGrantResponse(grant));
    this.nextCursor = nextCursor;
  }
}

export class ReceivedGrantsResponse {
  @ApiProperty({ type: [ReceivedGrantResponse] })
  readonly items: ReceivedGrantResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<ReceivedGrant>) {
    this.items = items.map((grant) => new ReceivedGrantResponse(grant));
    this.nextCursor = nextCursor;
  }
}

export class OpenedGrantResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty({ format: 'uuid' })
  readonly ownerId: string;

  @ApiProperty()
  readonly name: string;

  @ApiProperty({ type: 'integer', description: 'the one that was read' })
  readonly version: number;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty(nullableTime)
  readonly expiresAt: string | null;

  @ApiPropertyOptional({ ...stringRecordSchema, description: 'when the key of the recipient is kept here' })
  readonly data?: StringRecord;

  @ApiPropertyOptional({ description: 'a sealed box, base64url, when the recipient has the private key' })
  readonly sealed?: string;

  @ApiPropertyOptional({ enum: Object.keys(sealingSuites) })
  readonly kem?: string;

  @ApiPropertyOptional({ ...stringRecordSchema, description: 'what the box is bound to' })
  readonly info?: StringRecord;

  constructor({ id, ownerId, secret, content }: OpenedGrant) {
    this.id = id;
    this.ownerId = ownerId;
    this.name = secret.name;
    this.version = secret.version;
    this.createdAt = isoTime(secret.createdAt);
    this.expiresAt = secret.expiresAt ? isoTime(secret.expiresAt) : null;
    if ('data' in content) this.data = content.data;
    else {
      this.sealed = content.sealed.toString('base64url');
      this.kem = content.kem;
      this.info = content.info;
    }
  }
}
