import { Logger } from '@nestjs/common';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type Server, type ServerOptions } from 'node:https';
import { type TLSSocket } from 'node:tls';
import { SystemClock } from './common/clock.js';
import { type AppConfig } from './config/app-config.js';
import { ClientConnections } from './tls/client-connections.js';
import { ensureDevelopmentCertificates } from './tls/development-certificates.js';
import { ExpiryWarning } from './tls/expiry-warning.js';
import { ServedCertificate } from './tls/served-certificate.js';
import { filesOf, loadTlsMaterial, type TlsMaterial } from './tls/tls-material.js';
import { TlsReloader } from './tls/tls-reloader.js';

/** New files are served at the second look at the latest: well within the 5 s that are promised. */
const LOOK_INTERVAL_MS = 1_000;

/** Certificates end in the time of the world, whatever time the application is told. */
const clock = new SystemClock();

/** The server's TLS: what it starts with, and what becomes of it while it runs. */
export class ServerTls {
  readonly served: ServedCertificate;
  readonly #log: Logger;
  readonly #reloader: TlsReloader;
  #server: Server | undefined;
  #clients: ClientConnections | undefined;

  private constructor(log: Logger, reloader: TlsReloader) {
    this.#log = log;
    this.#reloader = reloader;
    this.served = new ServedCertificate(reloader.current.certificate, clock);
  }

  /**
   * Reads and checks the files, having made them first in development.
   *
   * @throws {StartError} naming the file at fault
   */
  static async open({ tls, isProduction }: AppConfig): Promise<ServerTls> {
    const { directory, profile, clients } = tls;
    const files = tls.files ?? (await ensureDevelopmentCertificates({ directory, now: now() }));
    const source = { ...files, clients, profile, production: isProduction };
    const log = new Logger('Tls');
    const reloader = await TlsReloader.create({
      files: filesOf(source),
      load: (before) => loadTlsMaterial(source, now(), before),
      apply: (material, before) => opened.#apply(material, before),
      log,
    });
    const opened = new ServerTls(log, reloader);
    return opened;
  }

  /** Of `https.createServer`. */
  get options(): ServerOptions {
    return this.#reloader.current.options;
  }

  /** Keeps the server's TLS up to date from the moment that it listens until it stops. */
  attach(fastify: FastifyInstance): void {
    const server = fastify.server as unknown as Server;
    this.#server = server;
    if (this.#reloader.current.clients) this.#guardClients(fastify, server);
    const warning = new ExpiryWarning(this.served, clock, this.#log);
    let timer: NodeJS.Timeout | undefined;
    fastify.addHook('onListen', (done) => {
      warning.check();
      timer = setInterval(() => {
        warning.check();
        void this.look();
      }, LOOK_INTERVAL_MS).unref();
      done();
    });
    fastify.addHook('preClose', (done) => {
      clearInterval(timer);
      done();
    });
  }

  /** Serves the files if they are new and good. */
  look(): Promise<void> {
    return this.#reloader.look();
  }

  /** The same on command: it says what came of it. */
  reload(): Promise<void> {
    return this.#reloader.reload();
  }

  #guardClients(fastify: FastifyInstance, server: Server): void {
    const clients = new ClientConnections(server);
    this.#clients = clients;
    fastify.addHook('onRequest', (request, _reply, done) => {
      clients.requestBegins(socketOf(request));
      done();
    });
    fastify.addHook('onResponse', (request, _reply, done) => {
      clients.requestEnds(socketOf(request));
      done();
    });
  }

  #apply({ certificate, clients, options }: TlsMaterial, before: TlsMaterial): void {
    this.#server?.setSecureContext(options);
    this.served.replace(certificate);
    if (clients && !isSame(clients, before.clients)) this.#clients?.renew();
    this.#log.log(this.served.describe(), 'new TLS files are served');
  }
}

function now(): Date {
  return new Date(clock.nowMs());
}

function socketOf({ raw }: FastifyRequest): TLSSocket {
  return raw.socket as TLSSocket;
}

function isSame(after: TlsMaterial['clients'], before: TlsMaterial['clients']): boolean {
  return JSON.stringify(after) === JSON.stringify(before);
}
