import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Build, type Running } from '../support/built-server.js';
import { shakeHands } from '../support/handshake.js';
import { HttpsClient } from '../support/https-client.js';
import { environmentIn } from '../support/test-app.js';
import { newCa, type TestCertificate, writePair } from '../support/test-ca.js';

const RELOADS = 20;
const CONNECTIONS = 32;
const MAX_SERVE_MS = 5_000;
const MAX_CHANGE_KIB = 20 * 1_024;
/** What the first few leave behind stays: code that is compiled, caches that fill up. */
const WARM_UP_RELOADS = 5;
const WARM_UP_REQUESTS = 10_000;
const SAMPLES = 9;
const REQUESTS_A_SAMPLE = 500;
const COLLECTOR = new URL('collect-garbage.process.ts', import.meta.url).href;
/** Otherwise memory rises and falls by tens of MB, with reloads and without: no measure of what they cost. */
const STEADY_MEMORY = `--expose-gc --max-semi-space-size=1 --import ${COLLECTOR}`;
const TIMEOUT_MS = 900_000;

let build: Build;
let directory: string;
let ca: TestCertificate;
beforeAll(async () => {
  build = await Build.create();
  directory = await mkdtemp(join(build.directory, 'data-'));
  ca = await newCa();
});
afterAll(() => build.remove());

/** Puts a new pair where the server looks, by swapping the link to its directory; returns its serial number. */
async function replacePair(): Promise<string> {
  const certificate = await ca.issue();
  const aside = join(directory, certificate.serialNumber);
  await mkdir(aside);
  await writePair(aside, [certificate]);
  await symlink(certificate.serialNumber, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  return certificate.serialNumber;
}

/** Milliseconds until a new connection gets the certificate. */
async function untilServed(url: string, serialNumber: string): Promise<number> {
  const startedAtMs = performance.now();
  for (;;) {
    const answer = await shakeHands(url, { ca: ca.pem });
    const elapsedMs = performance.now() - startedAtMs;
    if (typeof answer !== 'string' && answer.serialNumber === serialNumber) return elapsedMs;
    if (elapsedMs > 2 * MAX_SERVE_MS) return elapsedMs;
  }
}

function residentKib({ pid }: Running): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
}

/** Requests without end: on half of the connections one after the other, on the others one each. */
class Load {
  requests = 0;
  readonly failures: unknown[] = [];
  #isRunning = true;
  readonly #client: HttpsClient;
  readonly #loops: Promise<void>[];

  constructor(url: string) {
    this.#client = new HttpsClient(url, ca.pem);
    this.#loops = Array.from({ length: CONNECTIONS }, (_none, index) =>
      this.#loop(index % 2 === 0 ? {} : { connection: 'close' }),
    );
  }

  async until(requests: number): Promise<void> {
    while (this.requests < requests) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#loops);
    this.#client.close();
  }

  async #loop(headers: Record<string, string>): Promise<void> {
    while (this.#isRunning) {
      try {
        const { status } = await this.#client.request('GET', '/health/live', { headers });
        if (status !== 200) this.failures.push(status);
      } catch (error) {
        this.failures.push(error);
      }
      this.requests++;
    }
  }
}

/** Under load. */
async function medianResidentKib(server: Running, load: Load): Promise<number> {
  const samples: number[] = [];
  while (samples.length < SAMPLES) {
    await load.until(load.requests + REQUESTS_A_SAMPLE);
    samples.push(residentKib(server));
  }
  return samples.toSorted((one, other) => one - other)[Math.floor(SAMPLES / 2)] ?? Number.NaN;
}

it(
  'twenty new certificates under load are each served within 5 s, fail no request and cost no memory',
  async () => {
    await replacePair();
    const server = build.run('main.js', [], {
      ...environmentIn(directory),
      TLS_CERT_FILE: join(directory, '..data', 'chain.pem'),
      TLS_KEY_FILE: join(directory, '..data', 'key.pem'),
      RATE_LIMIT_PER_MINUTE: '0',
      LOG_LEVEL: 'info',
      NODE_OPTIONS: STEADY_MEMORY,
    });
    const url = (await server.url()) ?? server.output;
    const load = new Load(url);
    const servedMs: number[] = [];
    const reload = async (times: number) => {
      for (let time = 0; time < times; time++) servedMs.push(await untilServed(url, await replacePair()));
    };
    await load.until(WARM_UP_REQUESTS);
    await reload(WARM_UP_RELOADS);
    const beforeKib = await medianResidentKib(server, load);
    await reload(RELOADS);
    const afterKib = await medianResidentKib(server, load);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(Math.max(...servedMs)).toBeLessThan(MAX_SERVE_MS);
    expect(Math.abs(afterKib - beforeKib)).toBeLessThanOrEqual(MAX_CHANGE_KIB);
    expect(await server.stop()).toBe(0);
  },
  TIMEOUT_MS,
);
