import { isoTime } from '../common/iso-time.js';
import { type Role, roles } from '../common/permissions.js';
import { type User } from './users.service.js';
import { ApiProperty } from '../common/openapi.js';

export class UserResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty({ format: 'email' })
  readonly email: string;

  @ApiProperty({ enum: roles, isArray: true })
  readonly roles: readonly Role[];

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  constructor({ id, email, roles, createdAt }: User) {
    this.id = id;
    this.email = email;
    this.roles = roles;
    this.createdAt = isoTime(createdAt);
  }
}
