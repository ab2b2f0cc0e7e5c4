import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Get } from '@nestjs/common';
import { type Principal, PrivilegedUser, Public } from '../common/access.js';
import { ApiProblems } from '../common/api-problems.js';
import { isoTime } from '../common/iso-time.js';
import {
  ApiOkResponse,
  ApiOptionalBearerAuth,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '../common/openapi.js';
import { Database } from '../database/database.js';
import { RateLimits } from '../http/rate-limits.js';
import { ServedCertificate } from '../tls/served-certificate.js';
import { NotReadyError } from './errors.js';

/** Whoever asks gives up soon, and a database that says nothing is no better than one that can't be reached. */
const DATABASE_LIMIT_MS = 2_000;

class HealthResponse {
  @ApiProperty({ enum: ['ok'] })
  readonly status = 'ok';
}

class CertificateResponse {
  @ApiProperty({ format: 'date-time' })
  readonly expiresAt: string;

  @ApiProperty({ type: 'integer', description: 'whole days; negative once it has expired' })
  readonly daysLeft: number;

  constructor({ current, daysLeft }: ServedCertificate) {
    this.expiresAt = isoTime(current.notAfter);
    this.daysLeft = daysLeft;
  }
}

class ReadinessResponse {
  @ApiProperty({ enum: ['ok', 'degraded'], description: 'degraded: rate limits are not shared by instances' })
  readonly status: 'ok' | 'degraded';

  @ApiPropertyOptional({ description: "the server's own, for administrators" })
  readonly certificate?: CertificateResponse;

  constructor(isDegraded: boolean, served: ServedCertificate | undefined) {
    this.status = isDegraded ? 'degraded' : 'ok';
    if (served) this.certificate = new CertificateResponse(served);
  }
}

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly rateLimits: RateLimits,
    private readonly served: ServedCertificate,
  ) {}

  /** The process runs and answers; restart it when this fails. */
  @Get('live')
  @Public()
  @ApiOkResponse({ type: HealthResponse })
  live(): HealthResponse {
    return new HealthResponse();
  }

  /** Requests may be sent here: the database answers within 2 s. While the process stops, every route is a 503. */
  @Get('ready')
  @Public({ tellsMoreTo: 'server:read' })
  @ApiOptionalBearerAuth()
  @ApiOkResponse({ type: ReadinessResponse })
  @ApiProblems(503)
  async ready(@PrivilegedUser() administrator?: Principal): Promise<ReadinessResponse> {
    await this.#databaseAnswers();
    return new ReadinessResponse(this.rateLimits.isDegraded, administrator && this.served);
  }

  async #databaseAnswers(): Promise<void> {
    const waiting = new AbortController();
    const { signal } = waiting;
    const limit = delay(DATABASE_LIMIT_MS, undefined, { signal, ref: false }).then(() => {
      throw new Error(`the database took more than ${DATABASE_LIMIT_MS} ms`);
    });
    try {
      await Promise.race([this.database.ping(), limit]);
    } catch (error) {
      throw new NotReadyError(error);
    } finally {
      waiting.abort();
    }
  }
}
