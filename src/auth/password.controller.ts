import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CurrentSession, RequirePermission, type SessionPrincipal } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { ApiBearerAuth, ApiNoContentResponse, ApiTags } from '../common/openapi.js';
import { CurrentOrigin, type RequestOrigin } from '../common/request-origin.js';
import { validated } from '../common/validation.js';
import { ChangePasswordBody } from './auth.dto.js';
import { PasswordChangeService } from './password-change.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/password')
export class PasswordController {
  constructor(private readonly passwords: PasswordChangeService) {}

  @Post()
  @RequirePermission('account:write')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'it is changed, and all other sessions have ended' })
  @ApiProblems(400, 401, 403, 413, 415, 503)
  async change(
    @Body(validated) body: ChangePasswordBody,
    @CurrentSession() session: SessionPrincipal,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<void> {
    await this.passwords.change(session, body, origin);
  }
}
