import {
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsString,
  MaxLength,
} from 'class-validator';
import { Absent } from '../common/absent.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';
import { type Page, PageQuery } from '../common/pagination.js';
import { type Role, roles } from '../common/permissions.js';
import { UserResponse } from '../users/user.dto.js';
import { type AdministeredUser } from '../users/user-administration.service.js';
import { MAX_EMAIL_LENGTH, MAX_PASSWORD_LENGTH } from './auth.dto.js';

export class UsersQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'email', maxLength: MAX_EMAIL_LENGTH, description: 'exactly this address' })
  @Absent()
  @MaxLength(MAX_EMAIL_LENGTH)
  @IsEmail({ allow_utf8_local_part: true })
  readonly email?: string;
}

export class UpdateUserBody {
  @ApiPropertyOptional({ enum: roles, isArray: true, minItems: 1, uniqueItems: true })
  @Absent()
  @IsIn(roles, { each: true })
  @ArrayUnique()
  @ArrayNotEmpty()
  @IsArray()
  readonly roles?: Role[];

  @ApiPropertyOptional()
  @Absent()
  @IsBoolean()
  readonly disabled?: boolean;
}

export class DeleteAccountBody {
  @ApiProperty({ format: 'password', maxLength: MAX_PASSWORD_LENGTH })
  @MaxLength(MAX_PASSWORD_LENGTH)
  @IsString()
  readonly password!: string;
}

export class AdministeredUserResponse extends UserResponse {
  @ApiProperty()
  readonly disabled: boolean;

  constructor(user: AdministeredUser) {
    super(user);
    this.disabled = user.isDisabled;
  }
}

export class AdministeredUsersResponse {
  @ApiProperty({ type: [AdministeredUserResponse] })
  readonly items: AdministeredUserResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<AdministeredUser>) {
    this.items = items.map((user) => new AdministeredUserResponse(user));
    this.nextCursor = nextCursor;
  }
}
