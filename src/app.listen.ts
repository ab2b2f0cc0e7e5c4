import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { errorCode } from './common/error-code.js';
import { StartError } from './common/start-error.js';

/** Where `localhost` is, whatever a resolver says (RFC 6761, section 6.3); most clients try the second first. */
const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1'] as const;

/** What the system says where there is no IPv6, or not on this interface. */
const ADDRESS_IS_ABSENT: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/**
 * A second address of the one server: connections that arrive there are handed to it. Fastify would open a
 * second server for `localhost`, out of the reach of a new certificate and of a stop.
 */
export class SecondAddress {
  #listener: Server | undefined;

  constructor(private readonly fastify: FastifyInstance) {
    fastify.addHook('preClose', (done) => {
      this.#listener?.close();
      done();
    });
  }

  /** @returns false where the machine lacks the address */
  async listen(port: number, host: string): Promise<boolean> {
    const { server } = this.fastify;
    const listener = createServer({ noDelay: true }, (socket) => server.emit('connection', socket));
    try {
      await once(listener.listen(port, host), 'listening');
    } catch (error) {
      if (ADDRESS_IS_ABSENT.has(errorCode(error))) return false;
      throw error;
    }
    this.#listener = listener;
    return true;
  }
}

/**
 * Listens and returns the port. `localhost` is both loopback addresses, or the first where there is no IPv6.
 *
 * @throws {StartError} when the port is taken or not allowed
 */
export async function listen({
  nest,
  secondAddress,
  config: {
    server: { host, port },
  },
}: {
  readonly nest: NestFastifyApplication;
  readonly secondAddress: SecondAddress;
  readonly config: { readonly server: { readonly host: string; readonly port: number } };
}): Promise<number> {
  const [first, second] = host === 'localhost' ? LOOPBACK_ADDRESSES : [host];
  try {
    await nest.listen(port, first);
    const { port: bound } = nest.getHttpServer().address() as AddressInfo;
    if (second !== undefined) await secondAddress.listen(bound, second);
    return bound;
  } catch (error) {
    throw new StartError(listenFault(error, host, port), { cause: error });
  }
}

/** What keeps a server from listening, and what to do. */
function listenFault(error: unknown, host: string, port: number): string {
  const code = errorCode(error) ?? 'unknown';
  const faults: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use: stop the other process or set PORT`,
    EACCES: `port ${port} on ${host} needs a right this user lacks: set PORT to 1024 or above`,
    EADDRNOTAVAIL: `address ${host} is not on this machine: set HOST`,
    EAFNOSUPPORT: `address ${host} is not on this machine: set HOST`,
    ENOTFOUND: `host name ${host} is not known: set HOST`,
  };
  return faults[code] ?? `cannot listen on port ${port} of ${host} (${code})`;
}
