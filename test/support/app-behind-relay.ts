import { newPostgresDatabase } from './postgres-database.js';
import { TcpRelay } from './tcp-relay.js';
import { newTestApp, type TestApp } from './test-app.js';

export interface AppBehindRelay {
  readonly app: TestApp;
  /** All that the application has of its PostgreSQL. */
  readonly relay: TcpRelay;
  readonly close: () => Promise<void>;
}

/** @param parameters - added to those of `DATABASE_URL` */
export async function newAppBehindRelay(
  parameters: Readonly<Record<string, string>> = {},
): Promise<AppBehindRelay> {
  const database = await newPostgresDatabase();
  const url = new URL(database.url);
  const relay = await TcpRelay.open({ host: url.hostname, port: Number(url.port || '5432') });
  url.hostname = '127.0.0.1';
  url.port = String(relay.port);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const app = await newTestApp({ environment: { DATABASE_URL: url.href } });
  const close = async () => {
    await app.close();
    await relay.cut();
    await database.drop();
  };
  return { app, relay, close };
}
