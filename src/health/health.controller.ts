import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { Public } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { Database } from '../database/database.js';

class HealthResponse {
  @ApiProperty({ enum: ['ok', 'degraded'] })
  readonly status: string;

  constructor(status: string) {
    this.status = status;
  }
}

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: Database,
  ) {}

  /** The process runs and answers; restart it when this fails. */
  @Get('live')
  @Public()
  @ApiOkResponse({ type: HealthResponse })
  live(): HealthResponse {
    return new HealthResponse('ok');
  }

  /** Requests may be sent here: the database answers and the process isn't stopping. */
  @Get('ready')
  @Public()
  @ApiOkResponse({ type: HealthResponse })
  @ApiProblems(503)
  async ready(): Promise<HealthResponse> {
    const { status } = await this.checks.check([() => this.#checkDatabase()]);
    return new HealthResponse(status);
  }

  async #checkDatabase() {
    const indicator = this.indicators.check('database');
    return this.database.ping().then(
      () => indicator.up(),
      () => indicator.down(),
    );
  }
}
