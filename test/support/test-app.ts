import 'reflect-metadata';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { listen } from '../../src/app.listen.js';
import { createApp, type SecureApp } from '../../src/app.setup.js';
import { FakeClock } from './fake-clock.js';
import { HttpsClient } from './https-client.js';
import { newPostgresDatabase } from './postgres-database.js';

type DatabaseName = 'sqlite' | 'postgres';

export interface TestAppOptions {
  readonly database?: DatabaseName;
  /** Added to what every test app is started with. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: FakeClock;
}

/** The real application, listening on a port of its own, and a client that trusts its development CA. */
export class TestApp extends HttpsClient {
  constructor(
    url: string,
    readonly ca: string,
    readonly clock: FakeClock,
    readonly secure: SecureApp,
    readonly environment: Readonly<Record<string, string>>,
    private readonly cleanUp: () => Promise<void>,
  ) {
    super(url, ca);
  }

  get nest(): NestFastifyApplication {
    return this.secure.nest;
  }

  /** One more instance on the same database, keys and clock, with caches of its own. Close it first. */
  newInstance(environment: Readonly<Record<string, string>> = {}): Promise<TestApp> {
    return start({ ...this.environment, ...environment }, this.clock, async () => {});
  }

  /** Stops the application and leaves nothing behind. */
  override async close(): Promise<void> {
    super.close();
    await this.nest.close();
    await this.cleanUp();
  }
}

export async function newTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const directory = await mkdtemp(join(tmpdir(), 'test-app-'));
  const postgres = options.database === 'postgres' ? await newPostgresDatabase() : undefined;
  const cleanUp = async () => {
    await postgres?.drop();
    await rm(directory, { recursive: true });
  };
  const environment = {
    ...environmentIn(directory),
    ...(postgres ? { DATABASE_URL: postgres.url } : {}),
    ...options.environment,
  };
  try {
    return await start(environment, options.clock ?? new FakeClock(), cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** What an app needs that keeps everything it makes in one directory. */
export function environmentIn(directory: string): Record<string, string> {
  return {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'silent',
    ISSUER_URL: 'https://issuer.example.test',
    AUDIENCE: 'https://audience.example.test',
    DATA_DIR: join(directory, 'data'),
    CERTS_DIR: join(directory, 'certs'),
    RATE_LIMIT_PER_MINUTE: '0',
    AUTH_RATE_LIMIT_PER_MINUTE: '0',
  };
}

async function start(
  environment: Readonly<Record<string, string>>,
  clock: FakeClock,
  cleanUp: () => Promise<void>,
): Promise<TestApp> {
  const app = await createApp(environment, clock);
  const port = await listen(app).catch(async (error: unknown) => {
    await app.nest.close();
    throw error;
  });
  const ca = await readFile(join(environment['CERTS_DIR'] ?? '', 'ca.pem'), 'utf8');
  return new TestApp(`https://127.0.0.1:${port}`, ca, clock, app, environment, cleanUp);
}
