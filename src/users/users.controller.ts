import { Controller, Get } from '@nestjs/common';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { OwnerDeletedError } from '../common/app-error.js';
import { ApiProblems } from '../common/api-problems.js';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { UserResponse } from './user.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@ApiBearerAuth()
@Controller('v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get('me')
  @RequirePermission('account:read')
  @ApiOkResponse({ type: UserResponse })
  @ApiProblems(401, 403)
  async me(@CurrentUser() { userId }: Principal): Promise<UserResponse> {
    const user = await this.users.find(userId);
    if (!user) throw new OwnerDeletedError();
    return new UserResponse(user);
  }
}
