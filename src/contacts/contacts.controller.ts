import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { ETAG, ETAG_AND_LOCATION } from '../common/api-headers.js';
import { ApiProblems } from '../common/api-problems.js';
import {
  ApiBearerAuth,
  ApiCondition,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '../common/openapi.js';
import { IdParam } from '../common/id-param.js';
import {
  entityTag,
  type Precondition,
  readPrecondition,
  RequestPrecondition,
} from '../common/precondition.js';
import { validated } from '../common/validation.js';
import {
  ContactResponse,
  ContactsQuery,
  ContactsResponse,
  CreateContactBody,
  UpdateContactBody,
} from './contact.dto.js';
import { type Contact, ContactsService } from './contacts.service.js';

@ApiTags('contacts')
@ApiBearerAuth()
@Controller('v1/contacts')
export class ContactsController {
  constructor(private readonly contacts: ContactsService) {}

  @Post()
  @RequirePermission('contacts:write')
  @ApiCreatedResponse({ type: ContactResponse, headers: ETAG_AND_LOCATION })
  @ApiProblems(400, 401, 403, 413, 415)
  async create(
    @CurrentUser() { userId }: Principal,
    @Body(validated) body: CreateContactBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ContactResponse> {
    const contact = await this.contacts.create(userId, body);
    reply.header('Location', `/v1/contacts/${contact.id}`);
    return respond(contact, reply);
  }

  @Get()
  @RequirePermission('contacts:read')
  @ApiOkResponse({ type: ContactsResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentUser() { userId }: Principal,
    @Query(validated) query: ContactsQuery,
  ): Promise<ContactsResponse> {
    return new ContactsResponse(await this.contacts.list(userId, query));
  }

  @Get(':id')
  @RequirePermission('contacts:read')
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiOkResponse({ type: ContactResponse, headers: ETAG })
  @ApiProblems(401, 403, 404, 412)
  async get(
    @CurrentUser() { userId }: Principal,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ContactResponse> {
    return respond(await this.contacts.get(userId, id, readPrecondition(reply.request)), reply);
  }

  @Patch(':id')
  @RequirePermission('contacts:write')
  @ApiHeader({ name: 'If-Match', required: true, schema: { type: 'string', example: '"1"' } })
  @ApiOkResponse({ type: ContactResponse, headers: ETAG })
  @ApiProblems(400, 401, 403, 404, 412, 413, 415, 428)
  async update(
    @CurrentUser() { userId }: Principal,
    @IdParam() id: string,
    @Body(validated) body: UpdateContactBody,
    @RequestPrecondition() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ContactResponse> {
    return respond(await this.contacts.update(userId, id, body, precondition), reply);
  }

  @Delete(':id')
  @RequirePermission('contacts:write')
  @HttpCode(204)
  @ApiCondition('If-Match', 'the ETag that was read, such as "1"')
  @ApiNoContentResponse()
  @ApiProblems(401, 403, 404, 412)
  async delete(
    @CurrentUser() { userId }: Principal,
    @IdParam() id: string,
    @RequestPrecondition() precondition: Precondition,
  ): Promise<void> {
    await this.contacts.delete(userId, id, precondition);
  }
}

function respond(contact: Contact, reply: FastifyReply): ContactResponse {
  reply.header('ETag', entityTag(contact.version));
  return new ContactResponse(contact);
}
