import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BoundedQueue } from '../../src/crypto/bounded-queue.js';
import { newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { newTestApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

/** One hash more than there are cores runs at once, and 64 wait. */
const HASH_PLACES = availableParallelism() + 1 + 64;
const BEYOND = 64;

const HEAD = [
  'POST /v1/auth/login HTTP/1.1',
  'Host: localhost',
  'Content-Type: application/json',
  'Content-Length: 100',
].join('\r\n');

describe('a server at its cap of requests in flight', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await newTestApp({ environment: { MAX_IN_FLIGHT: '2' } });
  });
  afterAll(() => app.close());

  async function beginRequest() {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port), ca: app.ca });
    const begun = once(app.nest.getHttpServer(), 'request');
    socket.on('error', () => {}).write(`${HEAD}\r\n\r\n{`);
    await begun;
    return socket;
  }

  it('refuses more at once, and serves again when one is done or its client has gone', async () => {
    const sockets = [await beginRequest(), await beginRequest()];
    const refused = await app.get('/health/live');
    expectProblem(refused, 'ERR_OVERLOADED');
    expect(refused.headers['retry-after']).toBe('1');
    expectProblem(await app.get('/nothing'), 'ERR_OVERLOADED');

    const [gone, done] = sockets;
    gone?.destroy();
    while ((await app.get('/health/live')).status === 503);
    done?.write('x'.repeat(99));
    await once(done?.resume() ?? gone!, 'data');
    const again = [await beginRequest(), await beginRequest()];
    expectProblem(await app.get('/health/live'), 'ERR_OVERLOADED');
    for (const socket of again) socket.destroy();
    while ((await app.get('/health/live')).status === 503);
    expect((await app.get('/health/live')).status).toBe(200);
  });
});

describe('logins beyond the queue of password hashes', () => {
  const { prototype } = BoundedQueue;
  const run = Reflect.get(prototype, 'run');
  let queued: number;
  let letGo: () => void;
  // What is in the queue stays there until it is let go: otherwise a fast machine would never fill it.
  beforeEach(() => {
    queued = 0;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    prototype.run = function (task) {
      queued++;
      return run.call(this, async () => {
        await gate;
        return task();
      }) as ReturnType<typeof task>;
    };
  });
  afterEach(() => {
    letGo();
    prototype.run = run;
  });

  forEachDatabase((newApp) => {
    let app: TestApp;
    let email: string;
    beforeAll(async () => {
      app = await newApp();
      ({ email } = await newAccount(app));
    });
    afterAll(() => app.close());

    it(`get 503 at once, ${BEYOND} in parallel; those in it are answered, and nobody is locked out`, async () => {
      const login = (address: string) => app.post('/v1/auth/login', { email: address, password: PASSWORD });
      let answered = 0;
      const waiting = Array.from({ length: HASH_PLACES }, async () => {
        const answer = await login(newEmail());
        answered++;
        return answer;
      });
      await until(() => queued === HASH_PLACES);

      const beyond = Array.from({ length: BEYOND }, (_, index) => login(index < 8 ? email : newEmail()));
      for (const refused of await Promise.all(beyond)) {
        expectProblem(refused, 'ERR_OVERLOADED');
        expect(refused.headers['retry-after']).toBe('1');
      }
      expect(answered).toBe(0);
      expect((await app.get('/health/live')).status).toBe(200);

      letGo();
      for (const answer of await Promise.all(waiting)) expectProblem(answer, 'ERR_INVALID_CREDENTIALS');
      expect((await login(email)).status).toBe(200);
    });
  });
});
