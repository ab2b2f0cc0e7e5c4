import { ArrayNotEmpty, ArrayUnique, IsArray, IsIn, Length, Matches } from 'class-validator';
import { Absent } from '../common/absent.js';
import { IsTime } from '../common/future-time.js';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page } from '../common/pagination.js';
import { type Permission, scopes } from '../common/permissions.js';
import { type ApiKey } from './api-keys.service.js';

const MAX_NAME_LENGTH = 100;
/** Format characters can hide or turn around what is shown (UTS #39); the zero-width joiner is in emoji and scripts. */
const NO_CONTROLS = /^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\u200d)*$/u;

export class CreateApiKeyBody {
  @ApiProperty({ minLength: 1, maxLength: MAX_NAME_LENGTH, example: 'nightly export' })
  @Matches(/[^\p{Z}\p{C}\p{M}\p{Default_Ignorable_Code_Point}]/u, {
    message: 'name must have a visible character',
  })
  @Matches(NO_CONTROLS, { message: 'name must not have control or format characters' })
  @Length(1, MAX_NAME_LENGTH)
  readonly name!: string;

  @ApiProperty({ enum: [...scopes], isArray: true, minItems: 1, uniqueItems: true })
  @IsIn([...scopes], { each: true, message: `each of scopes must be one of ${[...scopes].join(', ')}` })
  @ArrayUnique()
  @ArrayNotEmpty()
  @IsArray()
  readonly scopes!: Permission[];

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'in the future; without it the key does not expire',
  })
  @Absent()
  @IsTime()
  readonly expiresAt?: string;
}

export class ApiKeyResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty()
  readonly name: string;

  @ApiProperty({ description: 'how the key begins' })
  readonly prefix: string;

  @ApiProperty({ enum: [...scopes], isArray: true })
  readonly scopes: readonly Permission[];

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  readonly expiresAt: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'to the minute' })
  readonly lastUsedAt: string | null;

  constructor(apiKey: ApiKey) {
    this.id = apiKey.id;
    this.name = apiKey.name;
    this.prefix = apiKey.prefix;
    this.scopes = apiKey.scopes;
    this.createdAt = isoTime(apiKey.createdAt);
    this.expiresAt = apiKey.expiresAt ? isoTime(apiKey.expiresAt) : null;
    this.lastUsedAt = apiKey.lastUsedAt ? isoTime(apiKey.lastUsedAt) : null;
  }
}

export class NewApiKeyResponse extends ApiKeyResponse {
  @ApiProperty({ description: 'shown this once' })
  readonly key: string;

  constructor(apiKey: ApiKey & { readonly key: string }) {
    super(apiKey);
    this.key = apiKey.key;
  }
}

export class ApiKeysResponse {
  @ApiProperty({ type: [ApiKeyResponse] })
  readonly items: ApiKeyResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<ApiKey>) {
    this.items = items.map((apiKey) => new ApiKeyResponse(apiKey));
    this.nextCursor = nextCursor;
  }
}
