import { Body, Controller, Delete, Get, HttpCode, Patch, Query } from '@nestjs/common';
import { CurrentSession, RequirePermission, type SessionPrincipal } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import { IdParam } from '../common/id-param.js';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { validated } from '../common/validation.js';
import {
  AdministeredUserResponse,
  AdministeredUsersResponse,
  DeleteAccountBody,
  UpdateUserBody,
  UsersQuery,
} from './account.dto.js';
import { AccountsService } from './accounts.service.js';

@ApiTags('users')
@ApiBearerAuth()
@Controller('v1/users')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Get()
  @RequirePermission('users:read')
  @ApiOkResponse({ type: AdministeredUsersResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentCaller() caller: Caller,
    @Query(validated) query: UsersQuery,
  ): Promise<AdministeredUsersResponse> {
    return new AdministeredUsersResponse(await this.accounts.list(caller, query));
  }

  @Patch(':id')
  @RequirePermission('users:write', { stepUp: true })
  @ApiOkResponse({ type: AdministeredUserResponse })
  @ApiProblems(400, 401, 403, 404, 409, 413, 415)
  async update(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
    @IdParam() id: string,
    @Body(validated) { roles, disabled }: UpdateUserBody,
  ): Promise<AdministeredUserResponse> {
    const changes = {
      ...(roles === undefined ? {} : { roles }),
      ...(disabled === undefined ? {} : { isDisabled: disabled }),
    };
    return new AdministeredUserResponse(await this.accounts.update(caller, session, id, changes));
  }

  @Delete(':id/sessions')
  @RequirePermission('users:write')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'every session of the user has ended' })
  @ApiProblems(401, 403, 404)
  async endSessions(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
    @IdParam() id: string,
  ): Promise<void> {
    await this.accounts.endSessions(caller, session, id);
  }

  @Delete('me')
  @RequirePermission('account:write')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'the account is gone, and nothing of it can be read again' })
  @ApiProblems(400, 401, 403, 404, 409, 413, 415, 503)
  async delete(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
    @Body(validated) { password }: DeleteAccountBody,
  ): Promise<void> {
    await this.accounts.delete(caller, session, password);
  }
}
