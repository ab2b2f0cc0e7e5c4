import { Controller, Get } from '@nestjs/common';
import { Public } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { ApiOkResponse, ApiProperty, ApiTags } from '../common/openapi.js';
import { Database } from '../database/database.js';
import { RateLimits } from '../http/rate-limits.js';
import { NotReadyError } from './errors.js';

class HealthResponse {
  @ApiProperty({ enum: ['ok'] })
  readonly status = 'ok';
}

class ReadinessResponse {
  @ApiProperty({ enum: ['ok', 'degraded'], description: 'degraded: rate limits are not shared by instances' })
  readonly status: 'ok' | 'degraded';

  constructor(isDegraded: boolean) {
    this.status = isDegraded ? 'degraded' : 'ok';
  }
}

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly rateLimits: RateLimits,
  ) {}

  /** The process runs and answers; restart it when this fails. */
  @Get('live')
  @Public()
  @ApiOkResponse({ type: HealthResponse })
  live(): HealthResponse {
    return new HealthResponse();
  }

  /** Requests may be sent here: the database answers. While the process stops, every route is a 503. */
  @Get('ready')
  @Public()
  @ApiOkResponse({ type: ReadinessResponse })
  @ApiProblems(503)
  async ready(): Promise<ReadinessResponse> {
    await this.database.ping().catch((error: unknown) => {
      throw new NotReadyError(error);
    });
    return new ReadinessResponse(this.rateLimits.isDegraded);
  }
}
