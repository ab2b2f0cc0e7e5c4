import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type EventEmitter, once } from 'node:events';
import { type Server as HttpServer } from 'node:http';
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

  constructor(private readonly server: EventEmitter) {}

  /** @returns false where the machine lacks the address */
  async listen(port: number, host: string): Promise<boolean> {
    const listener = createServer({ noDelay: true }, (socket) => this.server.emit('connection', socket));
    try {
      await once(listener.listen(port, host), 'listening');
    } catch (error) {
      if (ADDRESS_IS_ABSENT.has(errorCode(error))) return false;
      throw error;
    }
    this.#listener = listener;
    return true;
  }

  close(): void {
    this.#listener?.close();
  }
}

/** Sends plain HTTP to HTTPS, from a port of its own, until the application stops. */
export class RedirectListener {
  readonly #second: SecondAddress;

  constructor(
    private readonly server: HttpServer,
    private readonly wantedPort: number,
  ) {
    this.#second = new SecondAddress(server);
  }

  /** @throws {StartError} when the port is taken or not allowed */
  async listen(host: string): Promise<void> {
    const listenFirst = async (port: number, address: string) => {
      await once(this.server.listen(port, address), 'listening');
      return this.port;
    };
    await listenOn(
      { host, port: this.wantedPort, variable: 'HTTP_REDIRECT_PORT' },
      listenFirst,
      this.#second,
    );
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** An answer takes no time, so what is open now waits for a request. */
  close(): void {
    this.#second.close();
    if (this.server.listening) this.server.close();
    this.server.closeAllConnections();
  }
}

/**
 * Listens and returns the port of the API. `localhost` is both loopback addresses, or the first where there is no
 * IPv6.
 *
 * @throws {StartError} when a port is taken or not allowed
 */
export async function listen({
  nest,
  secondAddress,
  redirects,
  config: {
    server: { host, port },
  },
}: {
  readonly nest: NestFastifyApplication;
  readonly secondAddress: SecondAddress;
  readonly redirects?: RedirectListener | undefined;
  readonly config: { readonly server: { readonly host: string; readonly port: number } };
}): Promise<number> {
  const listenFirst = async (wanted: number, address: string) => {
    await nest.listen(wanted, address);
    return (nest.getHttpServer().address() as AddressInfo).port;
  };
  const bound = await listenOn({ host, port, variable: 'PORT' }, listenFirst, secondAddress);
  await redirects?.listen(host);
  return bound;
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** That says the port. */
  readonly variable: string;
}

async function listenOn(
  place: Place,
  listenFirst: (port: number, address: string) => Promise<number>,
  secondAddress: SecondAddress,
): Promise<number> {
  const [first, second] = place.host === 'localhost' ? LOOPBACK_ADDRESSES : [place.host];
  try {
    const bound = await listenFirst(place.port, first);
    if (second !== undefined) await secondAddress.listen(bound, second);
    return bound;
  } catch (error) {
    throw new StartError(listenFault(error, place), { cause: error });
  }
}

/** What keeps a server from listening, and what to do. */
function listenFault(error: unknown, { host, port, variable }: Place): string {
  const code = errorCode(error) ?? 'unknown';
  const faults: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use: stop the other process or set ${variable}`,
    EACCES: `port ${port} on ${host} needs a right this user lacks: set ${variable} to 1024 or above`,
    EADDRNOTAVAIL: `address ${host} is not on this machine: set HOST`,
    EAFNOSUPPORT: `address ${host} is not on this machine: set HOST`,
    ENOTFOUND: `host name ${host} is not known: set HOST`,
  };
  return faults[code] ?? `cannot listen on port ${port} of ${host} (${code})`;
}
