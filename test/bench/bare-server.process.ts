/**
 * The least a Node.js HTTPS server can do: one handler that answers every request with the same
 * message, under the application's TLS options. What the application adds to this is its cost.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { dist } from './built.ts';
import type { Message } from './https-client.ts';

export interface BareServerOptions {
  readonly port: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly keepAliveTimeoutMs: number;
  readonly message: Message;
}

const options: BareServerOptions = JSON.parse(process.env['BARE_SERVER'] ?? '');
const { status, headers, body } = options.message;
const certificate = { cert: readFileSync(options.certFile), key: readFileSync(options.keyFile) };
const { tlsOptions } = await dist<typeof import('../../src/tls/tls-options.js')>('tls/tls-options.js');

const server = createServer(tlsOptions(certificate, { profile: 'intermediate' }), (_request, response) => {
  response.writeHead(status, headers).end(body);
});
server.keepAliveTimeout = options.keepAliveTimeoutMs;
server.listen(options.port, '127.0.0.1');
