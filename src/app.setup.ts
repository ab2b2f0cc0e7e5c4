import { NestFactory } from '@nestjs/core';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { newHttpAdapter } from './app.http.js';
import { RedirectListener, SecondAddress } from './app.listen.js';
import { serveOpenApi } from './app.openapi.js';
import { ServerTls } from './app.tls.js';
import { type Clock, SystemClock } from './common/clock.js';
import { JsonLogger } from './common/json-logger.js';
import { ProblemDetailsFilter } from './common/problem-details.filter.js';
import { securityHeaders } from './common/security-headers.js';
import { type AppConfig } from './config/app-config.js';
import { AppConfigModule } from './config/config.module.js';
import { type Environment } from './config/environment.js';
import { CoreModule } from './core.module.js';
import { PublicHosts } from './http/public-hosts.js';
import { RateLimits } from './http/rate-limits.js';

export interface SecureApp {
  readonly nest: NestFastifyApplication;
  readonly config: AppConfig;
  readonly tls: ServerTls;
  readonly rateLimits: RateLimits;
  readonly logger: JsonLogger;
  readonly secondAddress: SecondAddress;
  readonly redirects: RedirectListener | undefined;
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
  const adapter = newHttpAdapter({ tls, config, rateLimits, logger });
  const fastify = adapter.getInstance();
  const secondAddress = new SecondAddress(fastify.server);
  const redirects = await newRedirects(config);
  fastify.addHook('preClose', (done) => {
    secondAddress.close();
    redirects?.close();
    done();
  });
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
  return { nest, config, tls, rateLimits, logger, secondAddress, redirects };
}

/** Its module is loaded only where it is wanted. */
async function newRedirects(config: AppConfig): Promise<RedirectListener | undefined> {
  const { redirectPort, publicHosts } = config.server;
  if (redirectPort === undefined) return undefined;
  const { newRedirectServer } = await import('./http/redirect-server.js');
  const server = newRedirectServer({
    hosts: new PublicHosts(publicHosts),
    defaultHost: publicHosts[0] ?? 'localhost',
    httpsPort: new URL(config.auth.issuer).port,
    always: { ...securityHeaders, 'cache-control': 'no-store' },
  });
  return new RedirectListener(server, redirectPort);
}
