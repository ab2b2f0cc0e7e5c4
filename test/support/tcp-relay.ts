import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut and mended, as a network can. */
export class TcpRelay {
  readonly #sockets = new Set<Socket>();
  #isStalled = false;
  readonly #server = createServer((incoming) => {
    const outgoing = connect(this.target);
    for (const socket of [incoming, outgoing]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    }
    if (!this.#isStalled) incoming.pipe(outgoing).pipe(incoming);
  });
  #port = 0;

  private constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  static async open(target: { readonly host: string; readonly port: number }): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    await relay.mend();
    return relay;
  }

  get port(): number {
    return this.#port;
  }

  /** Until it is mended, what is sent gets nowhere, over new connections too, and nobody is told. */
  stall(): void {
    this.#isStalled = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Lets new connections through. */
  async mend(): Promise<void> {
    this.#isStalled = false;
    if (this.#server.listening) return;
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }
}
