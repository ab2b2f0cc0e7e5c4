import { Controller, Delete, Get, HttpCode, Query } from '@nestjs/common';
import { CurrentSession, RequirePermission, type SessionPrincipal } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { IdParam } from '../common/id-param.js';
import { PageQuery } from '../common/pagination.js';
import { CurrentOrigin, type RequestOrigin } from '../common/request-origin.js';
import { validated } from '../common/validation.js';
import { SessionsResponse } from './auth.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @RequirePermission('sessions:read')
  @ApiOkResponse({ type: SessionsResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentSession() { userId, sessionId }: SessionPrincipal,
    @Query(validated) page: PageQuery,
  ): Promise<SessionsResponse> {
    return new SessionsResponse(await this.sessions.list(userId, page), sessionId);
  }

  @Delete(':id')
  @RequirePermission('sessions:write')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiProblems(401, 403, 404)
  async revoke(
    @IdParam() id: string,
    @CurrentSession() { userId }: SessionPrincipal,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<void> {
    await this.sessions.revoke(id, userId, origin);
  }

  @Delete()
  @RequirePermission('sessions:write')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'all other sessions have ended' })
  @ApiProblems(401, 403)
  async revokeOthers(
    @CurrentSession() { userId, sessionId }: SessionPrincipal,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<void> {
    await this.sessions.revokeOthers(sessionId, userId, origin);
  }
}
