import { Body, Controller, Get, Put } from '@nestjs/common';
import { CurrentSession, RequirePermission, type SessionPrincipal } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { NotFoundError } from '../common/app-error.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import { IdParam } from '../common/id-param.js';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { validated } from '../common/validation.js';
import { PublicKeysService } from '../keys/public-keys.service.js';
import { PublicKeyRegistration } from './public-key-registration.js';
import { PublicKeyBody, PublicKeyResponse } from './public-key.dto.js';

@ApiTags('users')
@ApiBearerAuth()
@Controller('v1/users')
export class PublicKeysController {
  constructor(
    private readonly publicKeys: PublicKeysService,
    private readonly registration: PublicKeyRegistration,
  ) {}

  @Put('me/public-key')
  @RequirePermission('account:write', { stepUp: true })
  @ApiOkResponse({ type: PublicKeyResponse })
  @ApiProblems(400, 401, 403, 413, 415)
  async register(
    @CurrentCaller() caller: Caller,
    @CurrentSession() session: SessionPrincipal,
    @Body(validated) { publicKey }: PublicKeyBody,
  ): Promise<PublicKeyResponse> {
    const bytes = Buffer.from(publicKey, 'base64url');
    return new PublicKeyResponse(await this.registration.register(caller, session, bytes));
  }

  @Get(':id/public-key')
  @RequirePermission('public-keys:read')
  @ApiOkResponse({ type: PublicKeyResponse })
  @ApiProblems(401, 403, 404)
  async get(@IdParam() id: string): Promise<PublicKeyResponse> {
    const found = await this.publicKeys.find(id);
    if (!found) throw new NotFoundError();
    return new PublicKeyResponse(found);
  }
}
