import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { HttpsResponse } from './https-client.js';
import { type TestApp } from './test-app.js';

/** Sends bytes that no HTTP client would and reads what comes back until the server closes. */
export async function sendRaw({ url, ca }: TestApp, bytes: string): Promise<HttpsResponse> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  socket.write(bytes, 'latin1');
  return parseAnswer(await text(socket));
}

export function parseAnswer(message: string): HttpsResponse {
  const [head = '', body = ''] = message.split('\r\n\r\n', 2);
  const [statusLine = '', ...lines] = head.split('\r\n');
  const fields = lines.map((line): [string, string] => {
    const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
    return [name.toLowerCase(), value];
  });
  return new HttpsResponse(
    Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]),
    Object.fromEntries(fields),
    body,
  );
}
