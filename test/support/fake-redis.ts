import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** An array of strings, whose number it says; each is a line with its length and a line with itself. */
const COMMAND = /^\*(\d+)\r\n/;

/** Speaks as much of the Redis protocol as a client needs to connect, and answers every `EVAL` as it is told. */
export class FakeRedis {
  /** What `EVAL` is answered with: an error such as `READONLY …`, or a count when there is none. */
  refusal: string | undefined;
  connections = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    let input = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      input += text;
      for (let command = COMMAND.exec(input); command; command = COMMAND.exec(input)) {
        const [whole, count] = command;
        const lines = input.split('\r\n').slice(1, 1 + 2 * Number(count));
        if (lines.length < 2 * Number(count)) return;
        input = input.slice(whole.length + lines.join('\r\n').length + 2);
        socket.write(this.#answer(lines[1]?.toUpperCase() ?? ''));
      }
    });
  });

  static async open(): Promise<FakeRedis> {
    const redis = new FakeRedis();
    await once(redis.#server.listen(0, '127.0.0.1'), 'listening');
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #answer(command: string): string {
    if (command === 'INFO') return '$9\r\nloading:0\r\n';
    if (command !== 'EVAL') return '+OK\r\n';
    return this.refusal === undefined ? '*2\r\n:1\r\n:60000\r\n' : `-${this.refusal}\r\n`;
  }
}
