import { NestFactory } from '@nestjs/core';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { newHttpAdapter } from './app.http.js';
import { SecondAddress } from './app.listen.js';
import { serveOpenApi } from './app.openapi.js';
import { ServerTls } from './app.tls.js';
import { type Clock, SystemClock } from './common/clock.js';
import { JsonLogger } from './common/json-logger.js';
import { ProblemDetailsFilter } from './common/problem-details.filter.js';
import { type AppConfig } from './config/app-config.js';
import { AppConfigModule } from './config/config.module.js';
import { type Environment } from './config/environment.js';
import { CoreModule } from './core.module.js';
import { RateLimits } from './http/rate-limits.js';

export interface SecureApp {
  readonly nest: NestFastifyApplication;
  readonly config: AppConfig;
  readonly tls: ServerTls;
  readonly rateLimits: RateLimits;
  readonly logger: JsonLogger;
  readonly secondAddress: SecondAddress;
}

/**
 * Builds the application, ready to listen.
 *
 * @param environment - replaces the process's variables and the `.env` file altogether
 * @param clock - tells the time instead of the system
 * @throws {StartError} with what the operator must mend
 */
export async function createApp(
  environment?: Environment,
  clock: Clock = new SystemClock(),
): Promise<SecureApp> {
  const { config, module: configuration } = await AppConfigModule.load(environment);
  const logger = await JsonLogger.create(config.log);
  const tls = await ServerTls.open(config);
  const rateLimits = await RateLimits.create(config.limits, clock, logger);
  const adapter = newHttpAdapter({ tls: tls.options, config, rateLimits, logger });
  tls.attach(adapter.getInstance());
  const secondAddress = new SecondAddress(adapter.getInstance());
  const core = CoreModule.forRoot(configuration, clock);
  const nest = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(core, tls.served, rateLimits),
    adapter,
    // Fastify's own parser takes JSON; Nest's would add web forms, which no route takes.
    { logger, abortOnError: false, bodyParser: false },
  );
  nest.useGlobalFilters(new ProblemDetailsFilter());
  if (config.server.docsEnabled) serveOpenApi(nest);
  await nest.init();
  return { nest, config, tls, rateLimits, logger, secondAddress };
}
