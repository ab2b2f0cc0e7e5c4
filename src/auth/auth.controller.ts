import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { CurrentSession, Public, RequirePermission, type SessionPrincipal } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '../common/openapi.js';
import { CurrentOrigin, type RequestOrigin } from '../common/request-origin.js';
import { validated } from '../common/validation.js';
import { UserResponse } from '../users/user.dto.js';
import { CredentialsBody, LoginBody, LoginResponse, RefreshBody, TokensResponse } from './auth.dto.js';
import { AuthService } from './auth.service.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
  ) {}

  @Post('register')
  @Public()
  @ApiCreatedResponse({ type: UserResponse })
  @ApiProblems(400, 403, 409, 413, 415, 503)
  async register(
    @Body(validated) { email, password }: CredentialsBody,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<UserResponse> {
    return new UserResponse(await this.auth.register(email, password, origin));
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiOkResponse({ type: LoginResponse })
  @ApiProblems(400, 401, 413, 415, 503)
  async login(
    @Body(validated) body: LoginBody,
    @Headers('user-agent') userAgent: string | undefined,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<LoginResponse> {
    return new LoginResponse(await this.auth.login(body, userAgent ?? '', origin));
  }

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @ApiOkResponse({ type: TokensResponse })
  @ApiProblems(400, 401, 413, 415)
  async refresh(
    @Body(validated) { refreshToken }: RefreshBody,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<TokensResponse> {
    return new TokensResponse(await this.auth.refresh(refreshToken, origin));
  }

  @Post('logout')
  @RequirePermission('account:write')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiNoContentResponse()
  @ApiProblems(401, 403)
  async logout(
    @CurrentSession() { sessionId, userId }: SessionPrincipal,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<void> {
    await this.sessions.revoke(sessionId, userId, origin, 'auth.logout');
  }
}
