import { Body, Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { CurrentSession, RequirePermission, type SessionPrincipal } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '../common/openapi.js';
import { validated } from '../common/validation.js';
import { SecondFactorSteps } from './second-factor-steps.js';
import { CodeBody, RecoveryCodesResponse, TotpResponse } from './totp.dto.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/totp')
export class TotpController {
  constructor(private readonly secondFactor: SecondFactorSteps) {}

  @Post()
  @RequirePermission('account:write', { stepUp: true })
  @ApiCreatedResponse({ type: TotpResponse })
  @ApiProblems(401, 403, 409)
  async enrol(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
  ): Promise<TotpResponse> {
    return new TotpResponse(await this.secondFactor.enrol(caller, session));
  }

  @Post('activate')
  @RequirePermission('account:write')
  @HttpCode(200)
  @ApiOkResponse({ type: RecoveryCodesResponse })
  @ApiProblems(400, 401, 403, 409, 413, 415)
  async activate(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
    @Body(validated) { code }: CodeBody,
  ): Promise<RecoveryCodesResponse> {
    return new RecoveryCodesResponse(await this.secondFactor.activate(caller, session, code));
  }

  @Delete()
  @RequirePermission('account:write', { stepUp: true })
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'a login needs the password only, and other sessions have ended' })
  @ApiProblems(400, 401, 403, 409, 413, 415)
  async remove(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
    @Body(validated) { code }: CodeBody,
  ): Promise<void> {
    await this.secondFactor.remove(caller, session, code);
  }
}
