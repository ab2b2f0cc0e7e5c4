import { type IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;
const START_TIMEOUT_MS = 20_000;

export interface Origin {
  readonly port: number;
  /** PEM of the CA to trust. */
  readonly ca: string;
}

export interface RequestContent {
  readonly json?: object;
  readonly token?: string;
}

export interface Message {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** @throws when the answer has another status than the one expected */
export async function send(
  origin: Origin,
  method: string,
  path: string,
  expectedStatus: number,
  content: RequestContent = {},
): Promise<Message> {
  const answer = await exchange(origin, method, path, content);
  if (answer.status !== expectedStatus) {
    throw new Error(`${method} ${path} got ${answer.status}, want ${expectedStatus}: ${answer.body}`);
  }
  return answer;
}

/** Asks again and again until a server that is about to start answers. */
export async function untilItAnswers(origin: Origin, path: string): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await send(origin, 'GET', path, 200);
      return;
    } catch (error) {
      if (performance.now() > deadlineMs)
        throw new Error('the server did not answer in time', { cause: error });
      await delay(POLL_MS);
    }
  }
}

/** A complete HTTP/1.1 message for a kept-alive connection. */
export function requestBytes(
  { port }: Origin,
  method: string,
  path: string,
  content: RequestContent = {},
): string {
  const body = content.json === undefined ? '' : JSON.stringify(content.json);
  const fields = {
    Host: `localhost:${port}`,
    Accept: 'application/json',
    ...contentHeaders(content),
    ...(body === '' ? {} : { 'Content-Length': Buffer.byteLength(body) }),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, '', body].join('\r\n');
}

function contentHeaders({ json, token }: RequestContent): Record<string, string> {
  return {
    ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
}

function exchange(
  { port, ca }: Origin,
  method: string,
  path: string,
  content: RequestContent,
): Promise<Message> {
  const headers = contentHeaders(content);
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca, servername: 'localhost', method, path, headers };
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(content.json === undefined ? undefined : JSON.stringify(content.json));
  });
}
