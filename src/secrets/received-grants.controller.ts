import { Controller, Get, Query } from '@nestjs/common';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { type Caller, CurrentCaller } from '../common/caller.js';
import { IdParam } from '../common/id-param.js';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { PageQuery } from '../common/pagination.js';
import { validated } from '../common/validation.js';
import { OpenedGrantResponse, ReceivedGrantsResponse } from './grant.dto.js';
import { ReceivedGrantsService } from './received-grants.service.js';

@ApiTags('secrets')
@ApiBearerAuth()
@Controller('v1/grants')
export class ReceivedGrantsController {
  constructor(private readonly grants: ReceivedGrantsService) {}

  @Get()
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: ReceivedGrantsResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentUser() { userId }: Principal,
    @Query(validated) page: PageQuery,
  ): Promise<ReceivedGrantsResponse> {
    return new ReceivedGrantsResponse(await this.grants.list(userId, page));
  }

  @Get(':id')
  @RequirePermission('secrets:read')
  @ApiOkResponse({ type: OpenedGrantResponse })
  @ApiProblems(401, 403, 404, 410)
  async open(@CurrentCaller() caller: Caller, @IdParam() id: string): Promise<OpenedGrantResponse> {
    return new OpenedGrantResponse(await this.grants.open(caller, id));
  }
}
