import { IsBoolean, IsOptional, Matches } from 'class-validator';
import { Absent } from '../common/absent.js';
import { IsTime } from '../common/future-time.js';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page, PageQuery } from '../common/pagination.js';
import { IsStringRecord, type StringRecord, stringRecordSchema } from '../common/string-record.js';
import { WholeNumber } from '../common/whole-number.js';
import { type SecretMetadata } from './secret-metadata.service.js';
import { SECRET_NAME } from './secret-name.pipe.js';
import {
  MAX_VERSION,
  type Secret,
  type SecretState,
  secretStates,
  type SecretSummary,
  type WrittenSecret,
} from './secret.js';

export class PutSecretBody {
  @ApiProperty({ ...stringRecordSchema, example: { url: 'postgres://db.example.com/app' } })
  @IsStringRecord()
  readonly data!: StringRecord;

  @ApiPropertyOptional({ ...stringRecordSchema, description: 'not encrypted: put no secrets here' })
  @Absent()
  @IsStringRecord()
  readonly metadata?: StringRecord;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'in the future; this version cannot be read afterwards',
  })
  @Absent()
  @IsTime()
  readonly expiresAt?: string;

  @ApiPropertyOptional({
    description: 'from now on writes of data and metadata need If-Match or If-None-Match',
  })
  @Absent()
  @IsBoolean()
  readonly casRequired?: boolean;
}

export class SecretQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'the latest when absent' })
  @IsOptional()
  @WholeNumber(1, MAX_VERSION)
  readonly version?: number;
}

export class SecretsQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'names that begin like this' })
  @IsOptional()
  @Matches(SECRET_NAME, { message: 'prefix must be the beginning of a name' })
  readonly prefix?: string;
}

export class WrittenSecretResponse {
  @ApiProperty()
  readonly name: string;

  @ApiProperty({ type: 'integer' })
  readonly version: number;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  readonly expiresAt: string | null;

  @ApiProperty(stringRecordSchema)
  readonly metadata: StringRecord;

  constructor(secret: WrittenSecret) {
    this.name = secret.name;
    this.version = secret.version;
    this.createdAt = isoTime(secret.createdAt);
    this.expiresAt = secret.expiresAt ? isoTime(secret.expiresAt) : null;
    this.metadata = secret.metadata;
  }
}

export class SecretResponse extends WrittenSecretResponse {
  @ApiProperty(stringRecordSchema)
  readonly data: StringRecord;

  constructor(secret: Secret) {
    super(secret);
    this.data = secret.data;
  }
}

class SecretSummaryResponse {
  @ApiProperty()
  readonly name: string;

  @ApiProperty({ type: 'integer' })
  readonly version: number;

  @ApiProperty({ enum: secretStates })
  readonly state: SecretState;

  @ApiProperty(stringRecordSchema)
  readonly metadata: StringRecord;

  @ApiProperty({ format: 'date-time' })
  readonly updatedAt: string;

  constructor(secret: SecretSummary) {
    this.name = secret.name;
    this.version = secret.version;
    this.state = secret.state;
    this.metadata = secret.metadata;
    this.updatedAt = isoTime(secret.updatedAt);
  }
}

export class SecretsResponse {
  @ApiProperty({ type: [SecretSummaryResponse] })
  readonly items: SecretSummaryResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<SecretSummary>) {
    this.items = items.map((secret) => new SecretSummaryResponse(secret));
    this.nextCursor = nextCursor;
  }
}

export class SecretMetadataResponse {
  @ApiProperty()
  readonly name: string;

  @ApiProperty({ type: 'integer', description: 'the latest version, which this changes nothing of' })
  readonly version: number;

  @ApiProperty(stringRecordSchema)
  readonly metadata: StringRecord;

  @ApiProperty({ format: 'date-time' })
  readonly updatedAt: string;

  constructor(secret: SecretMetadata) {
    this.name = secret.name;
    this.version = secret.version;
    this.metadata = secret.metadata;
    this.updatedAt = isoTime(secret.updatedAt);
  }
}
