import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsBoolean, IsInt, IsISO8601, IsOptional, Matches, Max, Min } from 'class-validator';
import { Absent } from '../common/absent.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page, PageQuery } from '../common/pagination.js';
import { parseWholeNumber, WholeNumber } from '../common/whole-number.js';
import { SECRET_NAME } from './secret-name.pipe.js';
import {
  type Secret,
  type SecretState,
  type SecretSummary,
  type SecretVersion,
  type StringRecord,
  type WrittenSecret,
} from './secret.js';
import { IsStringRecord } from './string-record.js';

const MAX_VERSION = 2_147_483_647;
const MAX_VERSIONS_AT_ONCE = 100;
const states: SecretState[] = ['active', 'deleted', 'expired'];
const record = { type: 'object', additionalProperties: { type: 'string' } } as const;

export class PutSecretBody {
  @ApiProperty({ ...record, example: { url: 'postgres://db.example.com/app' } })
  @IsStringRecord()
  readonly data!: StringRecord;

  @ApiPropertyOptional({ ...record, description: 'not encrypted: put no secrets here' })
  @Absent()
  @IsStringRecord()
  readonly metadata?: StringRecord;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'in the future; this version cannot be read afterwards',
  })
  @Absent()
  @Matches(/(Z|[+-]\d\d:\d\d)$/, { message: 'expiresAt must be a date and time with a time zone' })
  @IsISO8601({ strict: true, strictSeparator: true })
  readonly expiresAt?: string;

  @ApiPropertyOptional({ description: 'from now on every write needs If-Match or If-None-Match' })
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

export class DeleteSecretQuery {
  @ApiPropertyOptional({ type: 'string', example: '1,2', description: 'the latest when absent' })
  @IsOptional()
  @Transform(({ value }) =>
    typeof value === 'string' ? value.split(',').map(parseWholeNumber) : [Number.NaN],
  )
  @ArrayMaxSize(MAX_VERSIONS_AT_ONCE)
  @Max(MAX_VERSION, { each: true })
  @Min(1, { each: true })
  @IsInt({ each: true, message: 'versions must be version numbers with commas between them' })
  readonly versions?: number[];
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

  @ApiProperty(record)
  readonly metadata: StringRecord;

  constructor(secret: WrittenSecret) {
    this.name = secret.name;
    this.version = secret.version;
    this.createdAt = secret.createdAt.toISOString();
    this.expiresAt = secret.expiresAt?.toISOString() ?? null;
    this.metadata = secret.metadata;
  }
}

export class SecretResponse extends WrittenSecretResponse {
  @ApiProperty(record)
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

  @ApiProperty({ enum: states })
  readonly state: SecretState;

  @ApiProperty(record)
  readonly metadata: StringRecord;

  @ApiProperty({ format: 'date-time' })
  readonly updatedAt: string;

  constructor(secret: SecretSummary) {
    this.name = secret.name;
    this.version = secret.version;
    this.state = secret.state;
    this.metadata = secret.metadata;
    this.updatedAt = secret.updatedAt.toISOString();
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

class SecretVersionResponse {
  @ApiProperty({ type: 'integer' })
  readonly version: number;

  @ApiProperty({ enum: states })
  readonly state: SecretState;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  readonly expiresAt: string | null;

  constructor(version: SecretVersion) {
    this.version = version.version;
    this.state = version.state;
    this.createdAt = version.createdAt.toISOString();
    this.expiresAt = version.expiresAt?.toISOString() ?? null;
  }
}

export class SecretVersionsResponse {
  @ApiProperty({ type: [SecretVersionResponse] })
  readonly items: SecretVersionResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<SecretVersion>) {
    this.items = items.map((version) => new SecretVersionResponse(version));
    this.nextCursor = nextCursor;
  }
}
