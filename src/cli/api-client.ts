import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text as readText } from 'node:stream/consumers';
import { errorCode } from '../common/error-code.js';
import { membersOf, parseJson } from '../common/json-members.js';
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

/** A whole answer takes a running server far less; one that never comes ends here. */
const ANSWER_TIMEOUT_MS = 30_000;

/** A client of a running server, over HTTPS. Its certificate is checked, always. */
export class ApiClient {
  readonly #agent: Agent;

  constructor(
    private readonly config: ClientConfig,
    private readonly timeoutMs = ANSWER_TIMEOUT_MS,
  ) {
    // Said here, so that no variable of Node's says otherwise.
    this.#agent = new Agent({
      rejectUnauthorized: true,
      ...(config.ca === undefined ? {} : { ca: config.ca }),
    });
  }

  /**
   * The body of the answer.
   *
   * @param isBody - what else answers at this URL, such as a proxy, is not to be mistaken for the server
   * @throws {ApiProblem} for an answer that is no success
   * @throws {StartError} when the server can't be reached or isn't the one that it should be
   */
  async call<Body>(
    method: string,
    path: string,
    isBody: (answer: unknown) => answer is Body,
    call: Call = {},
  ): Promise<Body> {
    const { status, text } = await this.#exchange(method, path, call);
    const answer = parseJson(text);
    if (status < 200 || status >= 300) throw new ApiProblem(describe(status, answer), status);
    if (!isBody(answer))
      throw new StartError(`${this.config.url.origin} gave no answer of this API: check API_URL`);
    return answer;
  }

  async #exchange(
    method: string,
    path: string,
    { body, contentType = 'application/json', headers = {} }: Call,
  ): Promise<{ status: number; text: string }> {
    const { url, bearer } = this.config;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const contentHeaders =
      content === undefined
        ? {}
        : { 'content-type': contentType, 'content-length': Buffer.byteLength(content) };
    const signal = AbortSignal.timeout(this.timeoutMs);
    try {
      const outgoing = request(new URL(path, url), {
        agent: this.#agent,
        method,
        signal,
        headers: { authorization: `Bearer ${bearer.reveal()}`, ...contentHeaders, ...headers },
      });
      outgoing.end(content);
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      return { status: incoming.statusCode ?? 0, text: await readText(incoming) };
    } catch (cause) {
      const late = `no answer within ${this.timeoutMs / 1000} seconds`;
      const reason = signal.aborted ? late : (errorCode(cause) ?? 'no answer');
      throw new StartError(`${url.origin} cannot be asked (${reason})`, { cause });
    }
  }
}

/** What is read of a problem document; another answer, such as a proxy's, has none of it. */
function describe(status: number, answer: unknown): string {
  const { code, detail, errors } = membersOf(answer);
  const details = (Array.isArray(errors) ? errors : [])
    .map(membersOf)
    .map((error) => `${textOf(error['pointer']).slice(1)} ${textOf(error['detail'])}`.trim())
    .filter((text) => text !== '');
  const reason = details.length > 0 ? details.join(', ') : textOf(detail) || 'no reason given';
  return `refused with ${`${status} ${textOf(code)}`.trim()}: ${reason}`;
}

/** On one line, and without what could drive a terminal. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, ' ') : '';
}
