import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { CurrentUser, type Principal, Public, RequirePermission } from '../common/access.js';
import { LOCATION } from '../common/api-headers.js';
import { ApiProblems } from '../common/api-problems.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '../common/openapi.js';
import { PageQuery } from '../common/pagination.js';
import { CurrentOrigin, type RequestOrigin } from '../common/request-origin.js';
import { validated } from '../common/validation.js';
import { AppConfig } from '../config/app-config.js';
import { ShareRevealsService } from './share-reveals.service.js';
import {
  CreatedShareResponse,
  CreateShareBody,
  OwnSharesResponse,
  PublicShareResponse,
  RevealedShareResponse,
  RevealShareBody,
} from './share.dto.js';
import { SharesService } from './shares.service.js';

@ApiTags('shares')
@Controller('v1/shares')
export class SharesController {
  constructor(
    private readonly shares: SharesService,
    private readonly reveals: ShareRevealsService,
    private readonly config: AppConfig,
  ) {}

  @Post()
  @RequirePermission('secrets:write')
  @ApiBearerAuth()
  @ApiCreatedResponse({ type: CreatedShareResponse, headers: LOCATION })
  @ApiProblems(400, 401, 403, 413, 415, 503)
  async create(
    @CurrentCaller() caller: Caller,
    @Body(validated) { views = 1, expiresAt, ...body }: CreateShareBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedShareResponse> {
    const expiry = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
    const share = await this.shares.create(caller, { views, ...body, ...expiry });
    reply.header('Location', `/v1/shares/${share.id}`);
    return new CreatedShareResponse(share, this.config.auth.issuer);
  }

  @Get()
  @RequirePermission('secrets:read')
  @ApiBearerAuth()
  @ApiOkResponse({ type: OwnSharesResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentUser() { userId }: Principal,
    @Query(validated) page: PageQuery,
  ): Promise<OwnSharesResponse> {
    return new OwnSharesResponse(await this.shares.list(userId, page));
  }

  @Delete(':id')
  @RequirePermission('secrets:write')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiNoContentResponse()
  @ApiProblems(401, 403, 404)
  async delete(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.shares.delete(caller, id);
  }

  @Get(':id')
  @Public()
  @ApiOkResponse({ type: PublicShareResponse, description: 'uses no view up' })
  @ApiProblems(404)
  async get(@Param('id') id: string): Promise<PublicShareResponse> {
    return new PublicShareResponse(await this.reveals.get(id));
  }

  @Post(':id/reveal')
  @Public()
  @HttpCode(200)
  @ApiOkResponse({ type: RevealedShareResponse })
  @ApiProblems(400, 404, 413, 415, 503)
  async reveal(
    @Param('id') id: string,
    @Body(validated) body: RevealShareBody,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<RevealedShareResponse> {
    return new RevealedShareResponse(await this.reveals.reveal(id, body, origin));
  }
}
