/**
 * The client: a closed loop over kept-alive TLS connections, each sending its next request when the
 * answer to the last one is complete. It writes bytes made beforehand and reads no more of an answer
 * than its status and length, because it runs on the same machine as the server it measures.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { serveCalls } from './child.ts';
import type { Origin } from './https-client.ts';
import { quantile } from './statistics.ts';

export interface Load {
  readonly origin: Origin;
  /** Complete HTTP/1.1 messages; connection `n` sends the one at `n`, starting over at the end. */
  readonly requests: readonly string[];
  readonly connections: number;
  /** Between an answer and the next request; none by default. */
  readonly pauseMs?: number;
  /**
   * Never sleeps. Waking a sleeping core is an interrupt that a virtual machine pays dearly, and it is
   * booked to the server whose write causes it: the slower server would pay it more often. Leave it off
   * where the server needs every core.
   */
  readonly isBusyWaiting?: boolean;
}

/** A run ends, after the answers to what was sent, at whichever comes first. */
export interface RunBounds {
  readonly maxRequests: number;
  readonly maxMs: number;
}

export interface Run {
  readonly requests: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const HEADER_END = Buffer.from('\r\n\r\n');
const EXPECTED = 'HTTP/1.1 200 ';
const EMPTY = Buffer.alloc(0);

class Connection {
  readonly #socket: TLSSocket;
  readonly #request: Buffer;
  #received: Buffer = EMPTY;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: TLSSocket, request: Buffer) {
    this.#socket = socket;
    this.#request = request;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed a connection')));
  }

  static open({ port, ca }: Origin, request: Buffer): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] };
      const socket = connect(options, () => resolve(new Connection(socket, request)));
      socket.once('error', reject);
    });
  }

  /** Sends the request and resolves when its answer is complete. */
  exchange(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) reject(new Error('the server closed a connection'));
      this.#waiting = { resolve, reject };
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headerEnd = this.#received.indexOf(HEADER_END);
    if (headerEnd < 0) return;
    const header = this.#received.toString('latin1', 0, headerEnd);
    const contentLength = Number(/\r\ncontent-length: (\d+)/i.exec(header)?.[1]);
    if (!header.startsWith(EXPECTED) || Number.isNaN(contentLength)) {
      this.#waiting?.reject(new Error(`want 200 with a length, got ${this.#received.toString()}`));
    } else if (this.#received.length >= headerEnd + HEADER_END.length + contentLength) {
      this.#received = EMPTY;
      this.#waiting?.resolve();
    }
  }
}

let connections: readonly Connection[] = [];
let pauseMs = 0;
let isBusyWaiting = false;

const api = { open, run, close };
export type LoadDriverApi = typeof api;
serveCalls(api);

async function open(load: Load): Promise<void> {
  const requests = load.requests.map((request) => Buffer.from(request));
  pauseMs = load.pauseMs ?? 0;
  isBusyWaiting = load.isBusyWaiting ?? false;
  connections = await Promise.all(
    Array.from({ length: load.connections }, (_, index) =>
      Connection.open(load.origin, requests[index % requests.length] ?? EMPTY),
    ),
  );
}

async function run({ maxRequests, maxMs }: RunBounds): Promise<Run> {
  const latenciesMs: number[] = [];
  const startedAtMs = performance.now();
  let sent = 0;
  let isRunning = true;
  const spin = () => {
    if (isRunning) setImmediate(spin);
  };
  if (isBusyWaiting) spin();
  const loop = async (connection: Connection) => {
    while (sent < maxRequests && performance.now() - startedAtMs < maxMs) {
      sent++;
      const sentAtMs = performance.now();
      await connection.exchange();
      latenciesMs.push(performance.now() - sentAtMs);
      if (pauseMs > 0) await delay(pauseMs);
    }
  };
  await Promise.all(connections.map(loop)).finally(() => {
    isRunning = false;
  });
  const elapsedMs = performance.now() - startedAtMs;
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return { requests: sorted.length, elapsedMs, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
}

function close(): void {
  for (const connection of connections) connection.close();
  connections = [];
}
