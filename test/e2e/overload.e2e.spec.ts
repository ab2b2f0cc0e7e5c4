import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/problems.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

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
