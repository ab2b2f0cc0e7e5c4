import { Body, Controller, Delete, Get, HttpCode, Patch, Put, Query, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyReply } from 'fastify';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { ETAG, ETAG_AND_LOCATION } from '../common/api-headers.js';
import { ApiProblems } from '../common/api-problems.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import { type MergePatch, MergePatchOf, TAKES_MERGE_PATCH } from '../common/merge-patch.js';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiCondition,
  ApiMergePatch,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '../common/openapi.js';
import {
  entityTag,
  type Precondition,
  readPrecondition,
  RequestPrecondition,
} from '../common/precondition.js';
import { validated } from '../common/validation.js';
import { SecretName } from './secret-name.pipe.js';
import { DeleteSecretQuery } from './secret-version.dto.js';
import { SecretVersionsService } from './secret-versions.service.js';
import { SecretWriter } from './secret-writer.js';
import {
  PutSecretBody,
  SecretQuery,
  SecretResponse,
  SecretsQuery,
  SecretsResponse,
  WrittenSecretResponse,
} from './secret.dto.js';
import { type WrittenSecret } from './secret.js';
import { SecretsService } from './secrets.service.js';

@ApiTags('secrets')
@ApiBearerAuth()
@Controller('v1/secrets')
export class SecretsController {
  constructor(
    private readonly secrets: SecretsService,
    private readonly writer: SecretWriter,
    private readonly versions: SecretVersionsService,
  ) {}

  @Get()
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: SecretsResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentUser() { userId }: Principal,
    @Query(validated) { prefix = '', ...page }: SecretsQuery,
  ): Promise<SecretsResponse> {
    return new SecretsResponse(await this.secrets.list(userId, { prefix, ...page }));
  }

  @Put(':name')
  @RequirePermission('secrets:write')
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiCondition('If-None-Match', '* writes only what is not there')
  @ApiCreatedResponse({
    type: WrittenSecretResponse,
    description: 'the first version',
    headers: ETAG_AND_LOCATION,
  })
  @ApiOkResponse({ type: WrittenSecretResponse, description: 'the next version', headers: ETAG_AND_LOCATION })
  @ApiProblems(400, 401, 403, 412, 413, 415, 428)
  async put(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @Body(validated) { expiresAt, ...body }: PutSecretBody,
    @RequestPrecondition() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WrittenSecretResponse> {
    const secret = { ...body, ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }) };
    const written = await this.writer.put(caller, name, secret, precondition);
    reply.status(written.version === 1 ? 201 : 200);
    return respondWritten(written, reply);
  }

  @Get(':name')
  @RequirePermission('secrets:read')
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiOkResponse({ type: SecretResponse, headers: ETAG })
  @ApiProblems(400, 401, 403, 404, 410, 412)
  async get(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @Query(validated) { version }: SecretQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SecretResponse> {
    const secret = await this.secrets.get(caller, name, version, readPrecondition(reply.request));
    reply.header('ETag', entityTag(secret.version, secret.revision));
    return new SecretResponse(secret);
  }

  @Patch(':name')
  @RequirePermission('secrets:write')
  @RouteConfig(TAKES_MERGE_PATCH)
  @ApiMergePatch('data')
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiOkResponse({ type: WrittenSecretResponse, headers: ETAG_AND_LOCATION })
  @ApiProblems(400, 401, 403, 404, 410, 412, 413, 415, 428)
  async patch(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @MergePatchOf('data') patch: MergePatch,
    @RequestPrecondition() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WrittenSecretResponse> {
    return respondWritten(await this.writer.patch(caller, name, patch, precondition), reply);
  }

  @Delete(':name')
  @RequirePermission('secrets:write')
  @HttpCode(204)
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiNoContentResponse()
  @ApiProblems(400, 401, 403, 404, 412)
  async delete(
    @CurrentCaller() caller: Caller,
    @SecretName() name: string,
    @Query(validated) { versions }: DeleteSecretQuery,
    @RequestPrecondition() precondition: Precondition,
  ): Promise<void> {
    await this.versions.delete(caller, name, versions, precondition);
  }
}

function respondWritten(written: WrittenSecret, reply: FastifyReply): WrittenSecretResponse {
  reply.headers({ ETag: entityTag(written.version), Location: `/v1/secrets/${written.name}` });
  return new WrittenSecretResponse(written);
}
