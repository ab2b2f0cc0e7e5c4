import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '../common/openapi.js';
import { entityTag, type Precondition, RequestPrecondition } from '../common/precondition.js';
import { PageQuery } from '../common/pagination.js';
import { SecretNamePipe } from './secret-name.pipe.js';
import {
  DeleteSecretQuery,
  PutSecretBody,
  SecretQuery,
  SecretResponse,
  SecretsQuery,
  SecretsResponse,
  SecretVersionsResponse,
  WrittenSecretResponse,
} from './secret.dto.js';
import { SecretsService } from './secrets.service.js';

@ApiTags('secrets')
@ApiBearerAuth()
@Controller('v1/secrets')
export class SecretsController {
  constructor(private readonly secrets: SecretsService) {}

  @Get()
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: SecretsResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentUser() { userId }: Principal,
    @Query() { prefix = '', ...page }: SecretsQuery,
  ): Promise<SecretsResponse> {
    return new SecretsResponse(await this.secrets.list(userId, { prefix, ...page }));
  }

  @Put(':name')
  @RequirePermission('secrets:write')
  @ApiHeader({ name: 'If-Match', required: false, schema: { type: 'string', example: '"1"' } })
  @ApiHeader({ name: 'If-None-Match', required: false, schema: { type: 'string', enum: ['*'] } })
  @ApiCreatedResponse({ type: WrittenSecretResponse, description: 'the first version' })
  @ApiOkResponse({ type: WrittenSecretResponse, description: 'the next version' })
  @ApiProblems(400, 401, 403, 412, 413, 415, 428)
  async put(
    @CurrentUser() { userId }: Principal,
    @Param('name', SecretNamePipe) name: string,
    @Body() { expiresAt, ...body }: PutSecretBody,
    @RequestPrecondition() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WrittenSecretResponse> {
    const secret = { ...body, ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }) };
    const written = await this.secrets.put(userId, name, secret, precondition);
    reply.status(written.version === 1 ? 201 : 200);
    reply.headers({ ETag: entityTag(written.version), Location: `/v1/secrets/${name}` });
    return new WrittenSecretResponse(written);
  }

  @Get(':name')
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: SecretResponse })
  @ApiProblems(400, 401, 403, 404, 410)
  async get(
    @CurrentUser() { userId }: Principal,
    @Param('name', SecretNamePipe) name: string,
    @Query() { version }: SecretQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SecretResponse> {
    const secret = await this.secrets.get(userId, name, version);
    reply.header('ETag', entityTag(secret.version));
    return new SecretResponse(secret);
  }

  @Get(':name/versions')
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: SecretVersionsResponse })
  @ApiProblems(400, 401, 403, 404)
  async versions(
    @CurrentUser() { userId }: Principal,
    @Param('name', SecretNamePipe) name: string,
    @Query() page: PageQuery,
  ): Promise<SecretVersionsResponse> {
    return new SecretVersionsResponse(await this.secrets.listVersions(userId, name, page));
  }

  @Delete(':name')
  @RequirePermission('secrets:write')
  @HttpCode(204)
  @ApiHeader({ name: 'If-Match', required: false, schema: { type: 'string' } })
  @ApiNoContentResponse()
  @ApiProblems(400, 401, 403, 404, 412)
  async delete(
    @CurrentUser() { userId }: Principal,
    @Param('name', SecretNamePipe) name: string,
    @Query() { versions }: DeleteSecretQuery,
    @RequestPrecondition() precondition: Precondition,
  ): Promise<void> {
    await this.secrets.delete(userId, name, versions, precondition);
  }
}
