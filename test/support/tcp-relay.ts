import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut and mended, as a network can. */
export class TcpRelay {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((incoming) => {
    const outgoing = connect(this.target);
    for (const socket of [incoming, outgoing]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    }
    incoming.pipe(outgoing).pipe(incoming);
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

  /** What is sent gets nowhere any more, and nobody is told. */
  stall(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }
}
