import { Agent, request } from 'node:https';
import { text as readText } from 'node:stream/consumers';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { type ClientConfig } from '../config/client-config.js';

interface Call {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that is no success. */
export class ApiProblem extends StartError {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** A client of a running server, over HTTPS. Its certificate is checked, always. */
export class ApiClient {
  readonly #agent: Agent;

  constructor(private readonly config: ClientConfig) {
    // Said here, so that no variable of Node's says otherwise.
    this.#agent = new Agent({
      rejectUnauthorized: true,
      ...(config.ca === undefined ? {} : { ca: config.ca }),
    });
  }

  /**
   * The body of the answer.
   *
   * @throws {ApiProblem} for an answer that is no success
   * @throws {StartError} when the server can't be reached or isn't the one that it should be
   */
  async call<Body>(
    method: string,
    path: string,
    { body, contentType = 'application/json', headers = {} }: Call = {},
  ): Promise<Body> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const { url, bearer } = this.config;
    const outgoing = request(new URL(path, url), {
      agent: this.#agent,
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(content === undefined
          ? {}
          : { 'content-type': contentType, 'content-length': Buffer.byteLength(content) }),
        ...headers,
      },
    });
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      outgoing.once('error', (cause) => {
        const reason = errorCode(cause) ?? 'no answer';
        reject(new StartError(`${url.origin} cannot be asked (${reason})`, { cause }));
      });
      outgoing.once('response', (incoming) => {
        readText(incoming).then((read) => resolve({ status: incoming.statusCode ?? 0, text: read }), reject);
      });
      outgoing.end(content);
    });
    if (status >= 200 && status < 300) return (text === '' ? undefined : JSON.parse(text)) as Body;
    throw new ApiProblem(describe(status, text), status);
  }
}

/** What is read of a problem document; another answer, such as a proxy's, has none of it. */
interface ProblemMembers {
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

function describe(status: number, text: string): string {
  const { code = '', detail = 'no reason given', errors = [] } = parse(text);
  const details = errors.map((error) => `${error.pointer.slice(1)} ${error.detail}`.trim());
  return `refused with ${status} ${code}: ${details.length > 0 ? details.join(', ') : detail}`;
}

function parse(text: string): ProblemMembers {
  try {
    return JSON.parse(text) as ProblemMembers;
  } catch {
    return {};
  }
}
