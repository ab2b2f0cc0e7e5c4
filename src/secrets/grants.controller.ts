import { Body, Controller, Delete, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { LOCATION } from '../common/api-headers.js';
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
import { CreateGrantBody, GivenGrantResponse, GivenGrantsResponse } from './grant.dto.js';
import { GrantsService } from './grants.service.js';
import { SecretName } from './secret-name.pipe.js';

@ApiTags('secrets')
@ApiBearerAuth()
@Controller('v1/secrets/:name/grants')
export class GrantsController {
  constructor(private readonly grants: GrantsService) {}

  @Post()
  @RequirePermission('secrets:write')
  @ApiCreatedResponse({ type: GivenGrantResponse, headers: LOCATION })
  @ApiProblems(400, 401, 403, 404, 413, 415)
  async create(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @Body(validated) { expiresAt, ...body }: CreateGrantBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GivenGrantResponse> {
    const expiry = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
    const grant = await this.grants.create(caller, name, { ...body, ...expiry });
    reply.header('Location', `/v1/secrets/${name}/grants/${grant.id}`);
    return new GivenGrantResponse(grant);
  }

  @Get()
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: GivenGrantsResponse })
  @ApiProblems(400, 401, 403, 404)
  async list(
    @CurrentUser() { userId }: Principal,
    @SecretName() name: string,
    @Query(validated) page: PageQuery,
  ): Promise<GivenGrantsResponse> {
    return new GivenGrantsResponse(await this.grants.list(userId, name, page));
  }

  @Delete(':id')
  @RequirePermission('secrets:write')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiProblems(400, 401, 403, 404)
  async revoke(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @IdParam() id: string,
  ): Promise<void> {
    await this.grants.revoke(caller, name, id);
  }
}
