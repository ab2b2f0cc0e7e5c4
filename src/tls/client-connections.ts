import { type Server } from 'node:https';
import { type TLSSocket } from 'node:tls';

/**
 * What TLS itself leaves undone where clients are asked for certificates: with `optional`, Node lets a bad
 * certificate through as if there were none; and a connection outlives the list that revokes its certificate.
 */
export class ClientConnections {
  readonly #open = new Set<TLSSocket>();
  readonly #busy = new WeakSet<TLSSocket>();
  readonly #stale = new WeakSet<TLSSocket>();

  constructor(server: Server) {
    // Before HTTP gets to see the connection.
    server.prependListener('secureConnection', (socket: TLSSocket) => {
      if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) {
        socket.destroy();
        return;
      }
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  requestBegins(socket: TLSSocket): void {
    this.#busy.add(socket);
  }

  requestEnds(socket: TLSSocket): void {
    this.#busy.delete(socket);
    if (this.#stale.has(socket)) socket.end();
  }

  /** After a change of CAs or of what is revoked: every client must show its certificate anew. */
  renew(): void {
    for (const socket of this.#open) {
      if (this.#busy.has(socket)) this.#stale.add(socket);
      else socket.destroy();
    }
  }
}
