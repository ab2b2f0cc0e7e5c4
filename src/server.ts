import 'reflect-metadata';
import { listen } from './app.listen.js';
import { createApp, type SecureApp } from './app.setup.js';
import { stackOf } from './common/stack-of.js';
import { printable } from './common/printable.js';
import { StartError } from './common/start-error.js';
import { DatabaseUnavailableError, unusableDatabase } from './database/errors.js';
import { type Hangups } from './hangups.js';
import { curlCommand } from './tls/curl-command.js';
import { DEVELOPMENT_HOSTS } from './tls/development-mark.js';
import { PREFERRED_GROUP } from './tls/tls-options.js';

/** Requests in flight get this long to finish after a signal to stop. */
const STOP_TIMEOUT_MS = 8_000;
/** By then the process ends, also when a database that hangs keeps it from closing everything. */
const END_TIMEOUT_MS = 9_500;
const WILDCARD_HOSTS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Starts the server, or says in one line why it can't and what to do. */
export async function startServer(hangups: Hangups): Promise<void> {
  try {
    const app = await createApp();
    const port = await listen(app);
    stopOnSignal(app);
    hangups.reloadBy(() => app.tls.reload());
    announce(app, port);
  } catch (error) {
    process.stderr.write(`${startFault(error)}\n`);
    process.exit(1);
  }
}

function startFault(error: unknown): string {
  if (error instanceof StartError) return `cannot start: ${printable(error.message)}`;
  if (error instanceof DatabaseUnavailableError) return `cannot start: ${unusableDatabase(error)}`;
  return stackOf(error);
}

function announce({ config, tls: { served }, rateLimits, redirects, logger }: SecureApp, port: number): void {
  const { host, docsEnabled } = config.server;
  const url = urlOf(host, port);
  const { profile, clients } = config.tls;
  const tls = { profile, preferredGroup: PREFERRED_GROUP, clientAuth: clients?.auth ?? 'off' };
  const redirect = redirects && { redirectPort: redirects.port };
  logger.log(
    { url, tls, rateLimits: rateLimits.store, ...redirect, ...served.describe() },
    'listening',
    'Server',
  );
  if (config.tls.files) return;
  const isCertified = DEVELOPMENT_HOSTS.some((name) => name === host);
  // The certificate covers neither "every interface" nor another address of this machine.
  const local = isCertified ? url : urlOf('localhost', port);
  const isLocal = isCertified || WILDCARD_HOSTS.has(host);
  const detour = isLocal ? '' : ` --connect-to ::${bracketed(host)}:`;
  const lines = [
    // A browser takes no detour: it needs a certificate for the address.
    ...(docsEnabled && isLocal ? [`docs         ${local}/docs`] : []),
    `certificate  expires ${served.current.notAfter.toISOString().slice(0, 10)}, in ${served.daysLeft} days`,
    `TLS          ${profile}, ${PREFERRED_GROUP} preferred`,
    `try          ${curlCommand(config.tls)}${detour} ${local}/health/ready`,
  ];
  process.stdout.write(`\n  ${lines.join('\n  ')}\n\n`);
}

function urlOf(host: string, port: number): string {
  return `https://${bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Further signals are passed over: at Ctrl-C npm hands on the one that the terminal has sent already. */
function stopOnSignal(app: SecureApp): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      app.logger.log({ signal }, 'stopping', 'Server');
      stop(app);
    });
  }
}

function stop({ nest, logger }: SecureApp): void {
  const { server } = nest.getHttpAdapter().getInstance();
  setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS).unref();
  setTimeout(() => {
    logger.error({ afterMs: END_TIMEOUT_MS }, 'stopped before everything was closed', 'Server');
    process.exit(0);
  }, END_TIMEOUT_MS).unref();
  nest.close().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${stackOf(error)}\n`);
      process.exit(1);
    },
  );
}
