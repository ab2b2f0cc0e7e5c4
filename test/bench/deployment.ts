import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dist, SERVER_OPTIONS, SERVER_SCRIPT } from './built.ts';
import { issuePrivateCertificates } from './certificate.ts';
import { Child } from './child.ts';
import { type Origin, untilItAnswers } from './https-client.ts';
import type { UsageApi } from './usage-reporter.ts';

/** A fresh production deployment: certificate, root key and a migrated, empty database. */
export interface Deployment {
  readonly directory: string;
  readonly origin: Origin;
  readonly certFile: string;
  readonly keyFile: string;
  /** Every variable the server gets. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Makes one in a directory that is gone afterwards, however the process ends. On SQLite unless told otherwise. */
export async function withDeployment<Result>(
  use: (deployment: Deployment) => Promise<Result>,
  databaseUrl?: string,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await use(await deploy(directory, databaseUrl));
  } finally {
    remove();
    process.off('exit', remove);
  }
}

/** Runs the built server, production settings and all, until `use` is done. */
export async function withServer<Result>(
  deployment: Deployment,
  use: (server: Child<UsageApi>) => Promise<Result>,
): Promise<Result> {
  const server = new Child<UsageApi>(SERVER_SCRIPT, {
    environment: deployment.environment,
    nodeOptions: SERVER_OPTIONS,
    preload: new URL('usage-reporter.ts', import.meta.url),
    logFile: join(deployment.directory, 'server.log'),
  });
  try {
    await untilItAnswers(deployment.origin, '/health/live');
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** A port nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

async function deploy(
  directory: string,
  databaseUrl = `sqlite:${join(directory, 'app.db')}`,
): Promise<Deployment> {
  const certFile = join(directory, 'cert.pem');
  const keyFile = join(directory, 'key.pem');
  const rootKeyFile = join(directory, 'root.key');
  const { ca, cert, key } = await issuePrivateCertificates();
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });

  type MakeRootKeyFile = typeof import('../../src/keys/make-root-key-file.js');
  const { makeRootKeyFile } = await dist<MakeRootKeyFile>('keys/make-root-key-file.js');
  makeRootKeyFile(rootKeyFile);
  await migrate(databaseUrl);

  const port = await freePort();
  return {
    directory,
    origin: { port, ca },
    certFile,
    keyFile,
    environment: {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ISSUER_URL: `https://localhost:${port}`,
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
      ROOT_KEY_FILE: rootKeyFile,
      DATABASE_URL: databaseUrl,
      RATE_LIMIT_PER_MINUTE: '0',
      AUTH_RATE_LIMIT_PER_MINUTE: '0',
    },
  };
}

async function migrate(url: string): Promise<void> {
  const { openDatabase } =
    await dist<typeof import('../../src/database/open-database.js')>('database/open-database.js');
  const { SchemaMigrator } =
    await dist<typeof import('../../src/database/migrator.js')>('database/migrator.js');
  const database = await openDatabase({ url, creates: true, onIdleError: () => undefined });
  await new SchemaMigrator(database).migrate();
  await database.close();
}
