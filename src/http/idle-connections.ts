import { type Socket } from 'node:net';
import { IDLE_LIMIT_MS, TIMEOUT_CHECK_INTERVAL_MS } from './limits.js';
import { answerInProgress } from './refuse-connection.js';

/**
 * Connections between an answer and the next request. Node has a timer for them too, which begins anew with every
 * byte: with a blank line now and then, which may stand before a request (RFC 9112, section 2.2), it never ends.
 */
export class IdleConnections {
  /** When each was answered, the longest ago first. */
  readonly #answeredAtMs = new Map<Socket, number>();
  readonly #timer = setInterval(() => this.#closeOld(), TIMEOUT_CHECK_INTERVAL_MS).unref();

  /** @param nowMs - of `performance` */
  add(socket: Socket, nowMs: number): void {
    // It may be there: of requests sent ahead several have arrived by the first answer.
    this.#answeredAtMs.delete(socket);
    this.#answeredAtMs.set(socket, nowMs);
  }

  /** A further request has arrived. */
  remove(socket: Socket): void {
    this.#answeredAtMs.delete(socket);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #closeOld(): void {
    const latestMs = performance.now() - IDLE_LIMIT_MS;
    for (const [socket, answeredAtMs] of this.#answeredAtMs) {
      if (answeredAtMs > latestMs) return;
      this.#answeredAtMs.delete(socket);
      // Sent ahead, the next request arrived before the last answer.
      if (!answerInProgress(socket)) socket.destroy();
    }
  }
}
