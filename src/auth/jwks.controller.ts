import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../common/access.js';
import { KeyringService } from '../keys/keyring.service.js';
import { type PublicTokenKey } from '../keys/public-token-key.js';
import { JsonWebKeySetResponse } from './auth.dto.js';
import { ApiOkResponse, ApiTags } from '../common/openapi.js';

@ApiTags('auth')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keyring: KeyringService) {}

  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', 'public, max-age=60')
  @ApiOkResponse({ type: JsonWebKeySetResponse })
  async keys(): Promise<{ keys: PublicTokenKey[] }> {
    return { keys: await this.keyring.publicTokenKeys() };
  }
}
