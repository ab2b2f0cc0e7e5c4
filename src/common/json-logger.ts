import { type LoggerService } from '@nestjs/common';
import { errorCode } from './error-code.js';
import { isoTime } from './iso-time.js';
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

const REDACTED = [
  'password',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'token',
  'secret',
];
const REDACTED_ELSEWHERE = ['authorization', 'cookie', 'data', 'email', 'key', 'privateKey', 'passphrase'];
const NAMES = [...REDACTED, ...REDACTED_ELSEWHERE];

export interface LogOptions {
  /** A pino level, or `silent`. */
  readonly level: string;
  /** For people at a terminal instead of one JSON object a line. */
  readonly pretty: boolean;
}

/** One write for many lines; what waits is written after this time, and before the process exits. */
const BUFFER_BYTES = 16_000;
const FLUSH_INTERVAL_MS = 250;

export interface RequestLogFields {
  readonly requestId: string;
  readonly method: string;
  /** The pattern, not the URL: that could name a person or a secret. */
  readonly route: string;
  /** None when the connection ended before the answer did: the client went away, or was too slow. */
  readonly status: number | undefined;
  readonly durationMs: number;
  /** None when the connection was reset before the request was read. */
  readonly ip: string | undefined;
}

/** Where Nest reports a start that failed. */
const START_CONTEXTS = new Set<unknown>(['ExceptionHandler', 'NestApplication']);

/** What the log carries off the machine, whatever its level: only `silent` stops it. */
export const SHIPPED_CONTEXT = 'AuditCheckpoint';

/** Nest's account of its own wiring: for debugging, not for every start. */
const FRAMEWORK_CONTEXTS = new Set<unknown>([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/**
 * Logs one JSON object a line to standard output. Fields that could hold a secret are redacted by name,
 * two levels deep; JSON escapes line breaks and terminal codes, so nobody can forge a line.
 */
export class JsonLogger implements LoggerService {
  readonly #pino: Logger;
  readonly #shipping: Logger;
  readonly #writesRequests: boolean;
  readonly #destination: DestinationStream;
  /** The lines of this turn of the event loop: one write for all of them. */
  #requestLines = '';

  constructor(level: string, destination: DestinationStream) {
    const settings = {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: serializeError },
    };
    const redact = {
      paths: NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    };
    this.#pino = pino({ ...settings, redact }, destination);
    this.#shipping = level === 'silent' ? this.#pino : this.#pino.child({}, { level: 'info' });
    this.#writesRequests = this.#pino.isLevelEnabled('info');
    this.#destination = destination;
  }

  static async create({ level, pretty }: LogOptions): Promise<JsonLogger> {
    return new JsonLogger(level, pretty ? await prettyDestination() : jsonDestination());
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write(FRAMEWORK_CONTEXTS.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    // A start that fails: whoever started it says so, in one line.
    if (START_CONTEXTS.has(rest.at(-1))) return;
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  /**
   * The line of one request, in the form of all others. Its fields can hold no secret, and looking for
   * one in every line would cost more than the rest of the line.
   */
  request(fields: RequestLogFields): void {
    if (!this.#writesRequests) return;
    if (this.#requestLines === '') setImmediate(() => this.#writeRequestLines());
    const { requestId, method, route, status, durationMs, ip } = fields;
    const time = isoTime(new Date());
    const aborted = status === undefined ? true : undefined;
    const line = {
      level: 'info',
      time,
      requestId,
      method,
      route,
      status,
      aborted,
      durationMs,
      ip,
      msg: 'request',
    };
    this.#requestLines += `${JSON.stringify(line)}\n`;
  }

  #writeRequestLines(): void {
    if (this.#requestLines === '') return;
    this.#destination.write(this.#requestLines);
    this.#requestLines = '';
  }

  /** Nest's `Logger` passes the message or an object first, and the context it was made with last. */
  #write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    this.#writeRequestLines();
    const context = rest.at(-1);
    const text = rest.length > 1 && typeof rest[0] === 'string' ? rest[0] : undefined;
    const logger = context === SHIPPED_CONTEXT ? this.#shipping : this.#pino;
    if (message instanceof Error) logger[level]({ context, err: message }, message.message);
    else if (typeof message === 'object') logger[level]({ context, ...message }, text);
    else logger[level]({ context }, typeof message === 'string' ? message : 'no message');
  }
}

function jsonDestination(): DestinationStream {
  return pino.destination({
    dest: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
  });
}

async function prettyDestination(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ sync: true, singleLine: true, colorize: process.stdout.isTTY });
}

/** The type, message and stack, of the causes too. Drivers attach the values of a query: those stay out. */
function serializeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { type, message, stack } = stdSerializers.err(error);
  const code = errorCode(error);
  const keyId = 'keyId' in error && typeof error.keyId === 'string' ? { keyId: error.keyId } : {};
  return { type, message, stack, ...(code === undefined ? {} : { code }), ...keyId };
}
