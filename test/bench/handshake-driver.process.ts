/** The client: TLS 1.3 handshakes one after the other on a few connections at a time, without a request. */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { serveCalls } from './child.ts';
import type { Origin } from './https-client.ts';

export interface HandshakeRun {
  readonly origin: Origin;
  readonly isResumed: boolean;
  /** At a time. */
  readonly connections: number;
  readonly handshakes: number;
}

const api = { run };
export type HandshakeDriverApi = typeof api;
serveCalls(api);

/** Milliseconds that all handshakes took, each until the server has closed its end too. */
async function run({ origin, isResumed, connections, handshakes }: HandshakeRun): Promise<number> {
  const session = isResumed ? await newSession(origin) : undefined;
  let begun = 0;
  const loop = async () => {
    while (begun < handshakes) {
      begun++;
      await shakeHands(origin, session);
    }
  };
  const startedAtMs = performance.now();
  await Promise.all(Array.from({ length: connections }, loop));
  return performance.now() - startedAtMs;
}

async function shakeHands(origin: Origin, session: Buffer | undefined): Promise<void> {
  const socket = open(origin, session);
  await once(socket, 'secureConnect');
  if (socket.getProtocol() !== 'TLSv1.3') throw new Error(`got ${socket.getProtocol()}, want TLSv1.3`);
  if (socket.isSessionReused() !== (session !== undefined)) throw new Error('the wrong kind of handshake');
  await closed(socket);
}

/** What a full handshake leaves for the next ones to resume. */
async function newSession(origin: Origin): Promise<Buffer> {
  const socket = open(origin, undefined);
  const [session]: Buffer[] = await once(socket.resume(), 'session');
  await closed(socket);
  if (session === undefined) throw new Error('the server gave no session');
  return session;
}

function open({ port, ca }: Origin, session: Buffer | undefined): TLSSocket {
  const options = { host: '127.0.0.1', port, ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] };
  return connect(session === undefined ? options : { ...options, session });
}

async function closed(socket: TLSSocket): Promise<void> {
  socket.resume().end();
  await once(socket, 'close');
}
