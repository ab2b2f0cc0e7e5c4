import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CurrentSession, RequirePermission, type SessionPrincipal } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import { IdParam } from '../common/id-param.js';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '../common/openapi.js';
import { PageQuery } from '../common/pagination.js';
import { validated } from '../common/validation.js';
import { ApiKeysResponse, CreateApiKeyBody, NewApiKeyResponse } from './api-key.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeysService) {}

  @Post()
  @RequirePermission('api-keys:write', { stepUp: true })
  @ApiCreatedResponse({ type: NewApiKeyResponse })
  @ApiProblems(400, 401, 403, 413, 415)
  async create(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
    @Body(validated) { expiresAt, ...body }: CreateApiKeyBody,
  ): Promise<NewApiKeyResponse> {
    const apiKey = { ...body, ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }) };
    return new NewApiKeyResponse(await this.apiKeys.create(caller, session, apiKey));
  }

  @Get()
  @RequirePermission('api-keys:read')
  @ApiOkResponse({ type: ApiKeysResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentSession() { userId }: SessionPrincipal,
    @Query(validated) page: PageQuery,
  ): Promise<ApiKeysResponse> {
    return new ApiKeysResponse(await this.apiKeys.list(userId, page));
  }

  @Delete(':id')
  @RequirePermission('api-keys:write')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiProblems(401, 403, 404)
  async delete(@IdParam() id: string, @CurrentCaller() caller: Caller): Promise<void> {
    await this.apiKeys.delete(caller, id);
  }
}
