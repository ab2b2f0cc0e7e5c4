import { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { text as readText } from 'node:stream/consumers';

/**
 * Only with a bound of its own does Node's agent heed how long the server keeps an idle connection. Otherwise a request
 * may be sent on one that the server is closing.
 */
const MAX_IDLE_MS = 60_000;

export interface Exchange {
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, under the content type in `headers`. */
  readonly raw?: string | Uint8Array;
}

/** An answer, read to its end. */
export class HttpsResponse {
  constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
    readonly text: string,
  ) {}

  /** The JSON that the body holds, of whatever shape. */
  get body(): unknown {
    return this.text === '' ? undefined : JSON.parse(this.text);
  }

  /** The body as an object, for reading single members. */
  get members(): Readonly<Record<string, unknown>> {
    return this.body as Readonly<Record<string, unknown>>;
  }

  /** A member that is a string. */
  string(name: string): string {
    const value = this.members[name];
    if (typeof value !== 'string')
      throw new TypeError(`member ${name} is ${typeof value}, want string: ${this.text}`);
    return value;
  }

  /** The entries of a list. */
  get items(): readonly Readonly<Record<string, unknown>>[] {
    return this.members['items'] as readonly Readonly<Record<string, unknown>>[];
  }
}

/** Talks HTTPS to one server and trusts one CA, nothing else. */
export class HttpsClient {
  readonly #agent: Agent;

  constructor(
    readonly url: string,
    ca: string,
    /** The client's own certificate, where the server asks for one. */
    identity: { readonly cert?: string; readonly key?: string } = {},
  ) {
    this.#agent = new Agent({ ca, keepAlive: true, timeout: MAX_IDLE_MS, ...identity });
  }

  /** @param path as it goes onto the wire: nothing is normalised or escaped */
  async request(
    method: string,
    path: string,
    { token, headers = {}, json, raw }: Exchange = {},
  ): Promise<HttpsResponse> {
    const body = json === undefined ? raw : JSON.stringify(json);
    const { hostname, port } = new URL(this.url);
    const outgoing = request({
      agent: this.#agent,
      // An IPv6 address has brackets in a URL, and nowhere else.
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      method,
      path,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(body === undefined || 'transfer-encoding' in headers
          ? {}
          : { 'content-length': Buffer.byteLength(body) }),
        ...headers,
      },
    });
    return new Promise((resolve, reject) => {
      outgoing.once('error', reject);
      outgoing.once('response', (incoming) => {
        readText(incoming).then(
          (text) => resolve(new HttpsResponse(incoming.statusCode ?? 0, incoming.headers, text)),
          reject,
        );
      });
      outgoing.end(body);
    });
  }

  get(path: string, token?: string): Promise<HttpsResponse> {
    return this.request('GET', path, token === undefined ? {} : { token });
  }

  post(path: string, json: unknown, token?: string): Promise<HttpsResponse> {
    return this.request('POST', path, { json, ...(token === undefined ? {} : { token }) });
  }

  close(): void {
    this.#agent.destroy();
  }
}
