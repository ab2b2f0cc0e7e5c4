import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { logIn, register } from './accounts.ts';
import { Child } from './child.ts';
import { type Deployment, withServer } from './deployment.ts';
import { requestBytes, send } from './https-client.ts';
import type { LoadDriverApi, RunBounds } from './load-driver.process.ts';

const SECRETS = 100_000;
const LIMIT = 100;
const CONNECTIONS = 8;
const CIPHERTEXT_BYTES = 1_100;
const WARM_UP: RunBounds = { maxRequests: 500, maxMs: 2_000 };
const MEASURED: RunBounds = { maxRequests: 4_000, maxMs: 8_000 };

export interface ListResult {
  readonly secrets: number;
  readonly limit: number;
  readonly connections: number;
  /** Of the server; less than the rest at the mercy of what else the machine does. */
  readonly cpuMsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Lists a page of one owner's many secrets by different prefixes. A list shows no data, but its rows have the size. */
export async function measureList(deployment: Deployment): Promise<ListResult> {
  const { origin, directory } = deployment;
  const { owner, login } = await withServer(deployment, async () => {
    const login = await register(origin, 'ada');
    const token = await logIn(origin, login);
    const { body } = await send(origin, 'GET', '/v1/users/me', 200, { token });
    const me: { readonly id: string } = JSON.parse(body);
    return { owner: me.id, login };
  });
  insertSecrets(join(directory, 'app.db'), owner);
  const driver = new Child<LoadDriverApi>(new URL('load-driver.process.ts', import.meta.url));
  try {
    return await withServer(deployment, async (server) => {
      const token = await logIn(origin, login);
      const requests = Array.from({ length: CONNECTIONS }, (_, index) =>
        requestBytes(origin, 'GET', `/v1/secrets?prefix=app.${index}&limit=${LIMIT}`, { token }),
      );
      await driver.call('open', { origin, requests, connections: CONNECTIONS });
      await driver.call('run', WARM_UP);
      const before = await server.call('cpuMicros');
      const { requests: made, elapsedMs, p50Ms, p99Ms } = await driver.call('run', MEASURED);
      const cpuMsPerRequest = ((await server.call('cpuMicros')) - before) / made / 1_000;
      await driver.call('close');
      const requestsPerSecond = (made / elapsedMs) * 1_000;
      const load = { secrets: SECRETS, limit: LIMIT, connections: CONNECTIONS };
      return { ...load, cpuMsPerRequest, requestsPerSecond, p50Ms, p99Ms };
    });
  } finally {
    await driver.stop();
  }
}

function insertSecrets(file: string, owner: string): void {
  const database = new DatabaseSync(file);
  const nowMs = Date.now();
  const secret = database.prepare(
    `insert into secrets (id, owner_id, name, metadata, cas_required, latest_version, created_at, updated_at)
     values (?, ?, ?, '{"team":"payments","stage":"production"}', 0, 3, ?, ?)`,
  );
  const version = database.prepare(
    `insert into secret_versions (secret_id, version, key_id, ciphertext, created_at) values (?, ?, '', zeroblob(${CIPHERTEXT_BYTES}), ?)`,
  );
  database.exec('begin');
  for (let index = 0; index < SECRETS; index++) {
    const id = `bench-${index}`;
    // Spread over ten beginnings: app.0.0, app.1.1, …
    secret.run(id, owner, `app.${index % 10}.${index}`, nowMs, nowMs);
    for (let number = 1; number <= 3; number++) version.run(id, number, nowMs);
  }
  database.exec('commit');
  database.close();
}
