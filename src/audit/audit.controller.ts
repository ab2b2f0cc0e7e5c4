import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CurrentUser, type Principal, RequirePermission } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { ForbiddenError } from '../common/app-error.js';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '../common/openapi.js';
import { CurrentOrigin, type RequestOrigin } from '../common/request-origin.js';
import { validated } from '../common/validation.js';
import { AuditCheckpointer } from './audit-checkpointer.js';
import { toJson } from './audit-checkpoints.js';
import { AuditVerifier } from './audit-verifier.js';
import {
  AuditCheckpointResponse,
  AuditEventsResponse,
  AuditQuery,
  AuditVerificationResponse,
} from './audit.dto.js';
import { AuditService } from './audit.service.js';

@ApiTags('audit')
@ApiBearerAuth()
@Controller('v1/audit')
export class AuditController {
  constructor(
    private readonly audit: AuditService,
    private readonly verifier: AuditVerifier,
    private readonly checkpointer: AuditCheckpointer,
  ) {}

  /** The caller's own events; another user's for who may read any, which is recorded in their log. */
  @Get()
  @RequirePermission('audit:read')
  @ApiOkResponse({ type: AuditEventsResponse })
  @ApiProblems(400, 401, 403)
  async list(
    @CurrentUser() { userId: callerId, permissions }: Principal,
    @Query(validated) { userId = callerId, ...page }: AuditQuery,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<AuditEventsResponse> {
    const mayReadAny = permissions.has('audit:read-any');
    if (userId !== callerId) {
      if (!mayReadAny) {
        await this.audit.recordDenial(callerId, 'audit:read-any', origin);
        throw new ForbiddenError();
      }
      const read = { action: 'audit.read', target: `user:${userId}`, ownerId: userId } as const;
      await this.audit.record({ actor: callerId, ...read, outcome: 'success', ...origin });
    }
    return new AuditEventsResponse(await this.audit.list(userId, page), mayReadAny ? undefined : callerId);
  }

  /** The end of the log, signed. */
  @Get('checkpoint')
  @RequirePermission('audit:verify')
  @ApiOkResponse({ type: AuditCheckpointResponse })
  @ApiProblems(401, 403, 409)
  async checkpoint(): Promise<AuditCheckpointResponse> {
    return toJson(await this.checkpointer.run());
  }

  /** Verifies the whole log. Requests are served meanwhile. */
  @Post('verify')
  @RequirePermission('audit:verify')
  @HttpCode(200)
  @ApiOkResponse({ type: AuditVerificationResponse })
  @ApiProblems(401, 403, 409)
  async verify(
    @CurrentUser() { userId }: Principal,
    @CurrentOrigin() origin: RequestOrigin,
  ): Promise<AuditVerificationResponse> {
    const verified = await this.verifier.verify();
    await this.audit.record({ actor: userId, action: 'audit.verify', outcome: 'success', ...origin });
    return { verified };
  }
}
