import { IsEmail, IsString, MaxLength } from 'class-validator';
import { type Tokens } from './auth.service.js';
import { MAX_CODE_LENGTH } from './totp.dto.js';
import { type Session } from './session.js';
import { Absent } from '../common/absent.js';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page } from '../common/pagination.js';

/** RFC 5321, section 4.5.3.1.3: the longest path is 256 octets with its angle brackets. */
export const MAX_EMAIL_LENGTH = 254;
/** Well above the 1 024 bytes a password may have, so that the policy can say so. */
export const MAX_PASSWORD_LENGTH = 4_096;
/** Above what one of ours has: another text is no fault, only no known device. */
const MAX_DEVICE_TOKEN_LENGTH = 512;
/** Above what any token has: an access token is refused as every other that is no refresh token. */
const MAX_REFRESH_TOKEN_LENGTH = 4_096;

export class CredentialsBody {
  @ApiProperty({ format: 'email', maxLength: MAX_EMAIL_LENGTH, example: 'ada@example.com' })
  @MaxLength(MAX_EMAIL_LENGTH)
  @IsEmail({ allow_utf8_local_part: true })
  readonly email!: string;

  @ApiProperty({
    format: 'password',
    maxLength: MAX_PASSWORD_LENGTH,
    example: 'maple otter drifts at noon',
  })
  @MaxLength(MAX_PASSWORD_LENGTH)
  @IsString()
  readonly password!: string;
}

export class LoginBody extends CredentialsBody {
  @ApiPropertyOptional({
    maxLength: MAX_CODE_LENGTH,
    description: 'six digits of the app, or a recovery code; needed where a second factor is active',
  })
  @MaxLength(MAX_CODE_LENGTH)
  @IsString()
  @Absent()
  readonly code?: string;

  @ApiPropertyOptional({
    maxLength: MAX_DEVICE_TOKEN_LENGTH,
    description: 'what an earlier login gave this device',
  })
  @MaxLength(MAX_DEVICE_TOKEN_LENGTH)
  @IsString()
  @Absent()
  readonly deviceToken?: string;
}

export class ChangePasswordBody {
  @ApiProperty({ format: 'password', maxLength: MAX_PASSWORD_LENGTH })
  @MaxLength(MAX_PASSWORD_LENGTH)
  @IsString()
  readonly currentPassword!: string;

  @ApiProperty({ format: 'password', maxLength: MAX_PASSWORD_LENGTH })
  @MaxLength(MAX_PASSWORD_LENGTH)
  @IsString()
  readonly newPassword!: string;
}

export class RefreshBody {
  @ApiProperty({ maxLength: MAX_REFRESH_TOKEN_LENGTH })
  @MaxLength(MAX_REFRESH_TOKEN_LENGTH)
  @IsString()
  readonly refreshToken!: string;
}

export class TokensResponse {
  @ApiProperty({ enum: ['Bearer'] })
  readonly tokenType = 'Bearer';

  @ApiProperty({ description: 'a JWT (RFC 9068)' })
  readonly accessToken: string;

  @ApiProperty({ type: 'integer', description: 'seconds' })
  readonly expiresIn: number;

  @ApiProperty({ description: 'opaque, single use' })
  readonly refreshToken: string;

  @ApiProperty({ type: 'integer', description: 'seconds until the session ends unless it is refreshed' })
  readonly refreshExpiresIn: number;

  constructor(tokens: Tokens) {
    this.accessToken = tokens.accessToken;
    this.expiresIn = tokens.expiresInSeconds;
    this.refreshToken = tokens.refreshToken;
    this.refreshExpiresIn = tokens.refreshExpiresInSeconds;
  }
}

export class LoginResponse extends TokensResponse {
  @ApiProperty({
    description:
      'keep it on the device and send it with the next login: guesses of others then lock nobody out here',
  })
  readonly deviceToken: string;

  constructor(tokens: Tokens & { readonly deviceToken: string }) {
    super(tokens);
    this.deviceToken = tokens.deviceToken;
  }
}

export class SessionResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty({ format: 'date-time' })
  readonly lastUsedAt: string;

  @ApiProperty()
  readonly ip: string;

  @ApiProperty()
  readonly userAgent: string;

  @ApiProperty({ description: 'whether this request came in it' })
  readonly current: boolean;

  constructor({ id, createdAt, lastUsedAt, device }: Session, currentId: string) {
    this.id = id;
    this.createdAt = isoTime(createdAt);
    this.lastUsedAt = isoTime(lastUsedAt);
    this.ip = device.ip;
    this.userAgent = device.userAgent;
    this.current = id === currentId;
  }
}

export class SessionsResponse {
  @ApiProperty({ type: [SessionResponse] })
  readonly items: SessionResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<Session>, currentId: string) {
    this.items = items.map((session) => new SessionResponse(session, currentId));
    this.nextCursor = nextCursor;
  }
}

export class JsonWebKeyResponse {
  @ApiProperty({ enum: ['EC'] })
  readonly kty!: string;

  @ApiProperty({ description: 'the curve (RFC 7518, section 6.2.1.1)' })
  readonly crv!: string;

  @ApiProperty()
  readonly x!: string;

  @ApiProperty()
  readonly y!: string;

  @ApiProperty()
  readonly kid!: string;

  @ApiProperty({ enum: ['sig'] })
  readonly use!: string;

  @ApiProperty({ description: 'the signature algorithm (RFC 7518, section 3.1)' })
  readonly alg!: string;
}

export class JsonWebKeySetResponse {
  @ApiProperty({ type: [JsonWebKeyResponse] })
  readonly keys!: JsonWebKeyResponse[];
}
