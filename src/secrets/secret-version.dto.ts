import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsOptional, Max, Min } from 'class-validator';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page } from '../common/pagination.js';
import { parseWholeNumber } from '../common/whole-number.js';
import { MAX_VERSION, type SecretState, secretStates, type SecretVersion } from './secret.js';

const MAX_VERSIONS_AT_ONCE = 100;

export class DeleteSecretQuery {
  @ApiPropertyOptional({ type: 'string', description: 'such as 1,2; the latest when absent' })
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

export class SecretVersionsBody {
  @ApiProperty({ type: [Number], minItems: 1, maxItems: MAX_VERSIONS_AT_ONCE, example: [1] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_VERSIONS_AT_ONCE)
  @Max(MAX_VERSION, { each: true })
  @Min(1, { each: true })
  @IsInt({ each: true, message: 'versions must be a list of version numbers' })
  readonly versions!: number[];
}

export class RollbackBody {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_VERSION })
  @Max(MAX_VERSION)
  @Min(1)
  @IsInt()
  readonly version!: number;
}

class SecretVersionResponse {
  @ApiProperty({ type: 'integer' })
  readonly version: number;

  @ApiProperty({ enum: secretStates })
  readonly state: SecretState;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  readonly expiresAt: string | null;

  constructor(version: SecretVersion) {
    this.version = version.version;
    this.state = version.state;
    this.createdAt = isoTime(version.createdAt);
    this.expiresAt = version.expiresAt ? isoTime(version.expiresAt) : null;
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
