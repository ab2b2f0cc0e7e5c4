import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { IdParamPipe } from '../common/id-param.pipe.js';
import { SessionResponse, SessionsResponse } from './auth.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @RequirePermission('account:read')
  @ApiOkResponse({ type: SessionsResponse })
  @ApiProblems(401, 403)
  async list(@CurrentUser() { userId, sessionId }: Principal): Promise<SessionsResponse> {
    const sessions = await this.sessions.list(userId);
    return new SessionsResponse(sessions.map((session) => new SessionResponse(session, sessionId)));
  }

  @Delete(':id')
  @RequirePermission('account:write')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiProblems(401, 403, 404)
  async revoke(@Param('id', IdParamPipe) id: string, @CurrentUser() { userId }: Principal): Promise<void> {
    await this.sessions.revoke(id, userId);
  }

  @Delete()
  @RequirePermission('account:write')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'all other sessions have ended' })
  @ApiProblems(401, 403)
  async revokeOthers(@CurrentUser() { userId, sessionId }: Principal): Promise<void> {
    await this.sessions.revokeOthers(sessionId, userId);
  }
}
