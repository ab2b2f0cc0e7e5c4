import { Body, Controller, Get, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyReply } from 'fastify';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { ETAG, ETAG_AND_LOCATION } from '../common/api-headers.js';
import { ApiProblems } from '../common/api-problems.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import { type MergePatch, MergePatchOf, TAKES_MERGE_PATCH } from '../common/merge-patch.js';
import { ApiBearerAuth, ApiCondition, ApiMergePatch, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { PageQuery } from '../common/pagination.js';
import { entityTag, type Precondition, RequestPrecondition } from '../common/precondition.js';
import { validated } from '../common/validation.js';
import { SecretMetadataService } from './secret-metadata.service.js';
import { SecretName } from './secret-name.pipe.js';
import { RollbackBody, SecretVersionsBody, SecretVersionsResponse } from './secret-version.dto.js';
import { SecretVersionsService } from './secret-versions.service.js';
import { SecretWriter } from './secret-writer.js';
import { SecretMetadataResponse, WrittenSecretResponse } from './secret.dto.js';

@ApiTags('secrets')
@ApiBearerAuth()
@Controller('v1/secrets/:name')
export class SecretVersionsController {
  constructor(
    private readonly versions: SecretVersionsService,
    private readonly metadata: SecretMetadataService,
    private readonly writer: SecretWriter,
  ) {}

  @Get('versions')
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: SecretVersionsResponse })
  @ApiProblems(400, 401, 403, 404)
  async list(
    @CurrentUser() { userId }: Principal,
    @SecretName() name: string,
    @Query(validated) page: PageQuery,
  ): Promise<SecretVersionsResponse> {
    return new SecretVersionsResponse(await this.versions.list(userId, name, page));
  }

  @Patch('metadata')
  @RequirePermission('secrets:write')
  @RouteConfig(TAKES_MERGE_PATCH)
  @ApiMergePatch('metadata')
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiOkResponse({ type: SecretMetadataResponse, headers: ETAG })
  @ApiProblems(400, 401, 403, 404, 412, 413, 415, 428)
  async patchMetadata(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @MergePatchOf('metadata') patch: MergePatch,
    @RequestPrecondition() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SecretMetadataResponse> {
    const patched = await this.metadata.patch(caller, name, patch, precondition);
    reply.header('ETag', entityTag(patched.version, patched.revision));
    return new SecretMetadataResponse(patched);
  }

  @Post('undelete')
  @RequirePermission('secrets:write')
  @HttpCode(200)
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiOkResponse({ type: SecretVersionsResponse })
  @ApiProblems(400, 401, 403, 404, 409, 412, 413, 415)
  async undelete(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @Body(validated) { versions }: SecretVersionsBody,
    @RequestPrecondition() precondition: Precondition,
  ): Promise<SecretVersionsResponse> {
    const items = await this.versions.undelete(caller, name, versions, precondition);
    return new SecretVersionsResponse({ items, nextCursor: null });
  }

  @Post('destroy')
  @RequirePermission('secrets:write')
  @HttpCode(200)
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiOkResponse({ type: SecretVersionsResponse })
  @ApiProblems(400, 401, 403, 404, 409, 412, 413, 415)
  async destroy(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @Body(validated) { versions }: SecretVersionsBody,
    @RequestPrecondition() precondition: Precondition,
  ): Promise<SecretVersionsResponse> {
    const items = await this.versions.destroy(caller, name, versions, precondition);
    return new SecretVersionsResponse({ items, nextCursor: null });
  }

  @Post('rollback')
  @RequirePermission('secrets:write')
  @HttpCode(200)
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiOkResponse({ type: WrittenSecretResponse, headers: ETAG_AND_LOCATION })
  @ApiProblems(400, 401, 403, 404, 409, 412, 413, 415, 428)
  async rollback(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @Body(validated) { version }: RollbackBody,
    @RequestPrecondition() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WrittenSecretResponse> {
    const written = await this.writer.rollback(caller, name, version, precondition);
    reply.headers({ ETag: entityTag(written.version), Location: `/v1/secrets/${name}` });
    return new WrittenSecretResponse(written);
  }
}
