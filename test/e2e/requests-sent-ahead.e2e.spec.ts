import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newEmail, PASSWORD } from '../support/accounts.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { parseAnswer } from '../support/raw-connection.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

const HOST = 'Host: localhost\r\n';
const LIVE = `GET /health/live HTTP/1.1\r\n${HOST}\r\n`;
const BAD = 'no request\r\n\r\n';
/** More than arrives at once. */
const LONG = 'x'.repeat(300_000);

function register(email: string): string {
  const body = JSON.stringify({ email, password: PASSWORD });
  const fields = `${HOST}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return `POST /v1/auth/register HTTP/1.1\r\n${fields}${body}`;
}

describe('requests sent ahead', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await newTestApp();
  });
  afterAll(() => app.close());

  async function open(): Promise<TLSSocket> {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port), ca: app.ca });
    await once(socket, 'secureConnect');
    return socket;
  }

  async function answersTo(bytes: string): Promise<HttpsResponse[]> {
    const socket = await open();
    socket.write(bytes, 'latin1');
    const messages = (await text(socket)).split(/(?=HTTP\/1\.1 \d{3} )/);
    return messages.map((message) => parseAnswer(message));
  }

  it.each<[string, () => string, number[]]>([
    ['bytes that are no request', () => `${LIVE}${BAD}`, [200, 400]],
    ['CONNECT', () => `${LIVE}${LIVE}CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`, [200, 200, 405]],
    ['a protocol that is none of ours', () => `${LIVE}PLAY / RTSP/1.0\r\n${HOST}\r\n`, [200, 400]],
    ['bytes after one that takes its time', () => `${register(newEmail())}${BAD}`, [201, 400]],
    ['many bytes', () => `${register(newEmail())}${LIVE}${BAD}${LONG}`, [201, 200, 400]],
    [
      'a broken body',
      () => `${LIVE}${register(newEmail()).replace(/Content-Length.*/, 'Transfer-Encoding: chunked')}`,
      [200, 400],
    ],
    ['bytes after the last one', () => `${LIVE.replace(HOST, `${HOST}Connection: close\r\n`)}${BAD}`, [200]],
  ])('are each answered before the refusal of what follows them: %s', async (_claim, bytes, statuses) => {
    const answers = await answersTo(bytes());
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    for (const refusal of answers.filter(({ status }) => status >= 400)) {
      expectProblem(refusal, refusal.status === 405 ? 'ERR_METHOD_NOT_ALLOWED' : 'ERR_MALFORMED_REQUEST');
      expect(refusal.headers.connection).toBe('close');
    }
  });
});
