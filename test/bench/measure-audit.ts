import { setTimeout as delay } from 'node:timers/promises';
import { newPostgresDatabase, testPostgresUrl } from '../support/postgres-database.ts';
import { logIn, register } from './accounts.ts';
import type { AuditApi, VerificationResult } from './audit.process.ts';
import { Child } from './child.ts';
import { type Deployment, withDeployment, withServer } from './deployment.ts';
import { type Origin, requestBytes, send } from './https-client.ts';
import type { LoadDriverApi, RunBounds } from './load-driver.process.ts';
import { measure, type Sample } from './measure-http.ts';
import { median, spread, type Spread } from './statistics.ts';

const EVENTS = 1_000_000;
const EVENTS_A_CALL = 25_000;
const POLL_MS = 200;
const CONNECTIONS = 32;
const SECRET_BYTES = 1_024;
const ROUNDS = 9;
const FIRST_WARM_UP: RunBounds = { maxRequests: 40_000, maxMs: 10_000 };
const WARM_UP: RunBounds = { maxRequests: 500, maxMs: 2_000 };
const MEASURED: RunBounds = { maxRequests: 3_000, maxMs: 5_000 };

export interface SecretReads {
  /** CPU of a secret read in relation to a contact read's in the same round. */
  readonly cpuRatio: Spread;
  readonly contactCpuMicros: number;
  readonly secretCpuMicros: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

export interface AuditResult {
  readonly connections: number;
  readonly verification: VerificationResult;
  readonly sqlite: SecretReads;
  /** Where `TEST_POSTGRES_URL` names a server. */
  readonly postgres: SecretReads | undefined;
}

/** Verifies a long audit log, and reads secrets, each recorded on the disk first, in turns with contacts. */
export async function measureAudit(deployment: Deployment): Promise<AuditResult> {
  const verification = await measureVerification(deployment);
  const sqlite = await withDeployment(measureReads);
  return { connections: CONNECTIONS, verification, sqlite, postgres: await measurePostgres() };
}

async function measureVerification({ environment }: Deployment): Promise<VerificationResult> {
  const worker = new Child<AuditApi>(new URL('audit.process.ts', import.meta.url), { environment });
  try {
    for (let made = 0; made < EVENTS; made += EVENTS_A_CALL) await worker.call('fill', EVENTS_A_CALL);
    await worker.call('beginVerification');
    for (;;) {
      const result = await worker.call('verification');
      if (result) return result;
      await delay(POLL_MS);
    }
  } finally {
    await worker.stop();
  }
}

async function measurePostgres(): Promise<SecretReads | undefined> {
  if (testPostgresUrl === undefined) return undefined;
  const database = await newPostgresDatabase();
  try {
    return await withDeployment(measureReads, database.url);
  } finally {
    await database.drop();
  }
}

async function measureReads(deployment: Deployment): Promise<SecretReads> {
  return withServer(deployment, async (server) => {
    const { origin } = deployment;
    const { contacts, secrets } = await newObjects(origin);
    const driver = new Child<LoadDriverApi>(new URL('load-driver.process.ts', import.meta.url));
    const load = { origin, connections: CONNECTIONS, isBusyWaiting: true };
    const targets = {
      contact: { server, load: { ...load, requests: contacts } },
      secret: { server, load: { ...load, requests: secrets } },
    };
    const rounds: Round[] = [];
    try {
      for (const target of Object.values(targets)) await measure(driver, target, FIRST_WARM_UP, WARM_UP);
      while (rounds.length < ROUNDS) {
        rounds.push({
          contact: await measure(driver, targets.contact, WARM_UP, MEASURED),
          secret: await measure(driver, targets.secret, WARM_UP, MEASURED),
        });
      }
    } finally {
      await driver.stop();
    }
    return summarise(rounds);
  });
}

/** A contact and a secret of 1 KiB for each connection, of one user. */
async function newObjects(origin: Origin): Promise<{ contacts: string[]; secrets: string[] }> {
  const token = await logIn(origin, await register(origin, 'ada'));
  const paths: { contact: string; secret: string }[] = [];
  while (paths.length < CONNECTIONS) {
    const contact = {
      name: 'Grace Brewster Murray Hopper',
      email: `grace.hopper.${paths.length}@navy.example.org`,
      phone: '+1 202 555 0106',
      note: 'Prefers calls before noon. Asked for the compiler manual, second edition.',
    };
    const made = await send(origin, 'POST', '/v1/contacts', 201, { json: contact, token });
    const secret = `/v1/secrets/db.main.url-${paths.length}`;
    await send(origin, 'PUT', secret, 201, { json: { data: { value: 'x'.repeat(SECRET_BYTES) } }, token });
    paths.push({ contact: made.headers.location ?? '', secret });
  }
  const get = (path: string) => requestBytes(origin, 'GET', path, { token });
  return {
    contacts: paths.map(({ contact }) => get(contact)),
    secrets: paths.map(({ secret }) => get(secret)),
  };
}

interface Round {
  readonly contact: Sample;
  readonly secret: Sample;
}

function summarise(rounds: readonly Round[]): SecretReads {
  const secrets = rounds.map(({ secret }) => secret);
  return {
    cpuRatio: spread(
      rounds.map(({ contact, secret }) => secret.cpuMicrosPerRequest / contact.cpuMicrosPerRequest),
    ),
    contactCpuMicros: median(rounds.map(({ contact }) => contact.cpuMicrosPerRequest)),
    secretCpuMicros: median(secrets.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest)),
    requestsPerSecond: median(secrets.map(({ requests, elapsedMs }) => requests / (elapsedMs / 1_000))),
    p99Ms: median(secrets.map(({ p99Ms }) => p99Ms)),
  };
}
