import { type FastifyRequest } from 'fastify';
import { AppError, NotFoundError } from '../common/app-error.js';

class MethodNotAllowedError extends AppError {
  override readonly headers: Readonly<Record<string, string>>;

  constructor(allowed: readonly string[]) {
    super('ERR_METHOD_NOT_ALLOWED');
    this.headers = { Allow: allowed.join(', ') };
  }
}

/** Which methods each path takes. */
export class RouteTable {
  readonly #methodsByPattern = new Map<string, { readonly path: RegExp; readonly methods: Set<string> }>();

  add(pattern: string, method: string | readonly string[]): void {
    const known = this.#methodsByPattern.get(pattern);
    const { methods } = known ?? this.#insert(pattern);
    for (const name of [method].flat()) methods.add(name);
  }

  /** For what has no route, before its body is asked for: 405 where the path exists under other methods, or else 404. */
  refusal(request: FastifyRequest): AppError | undefined {
    if (!request.is404) return undefined;
    const allowed = this.methodsOf(request.url);
    return allowed.length > 0 ? new MethodNotAllowedError(allowed) : new NotFoundError();
  }

  /** In alphabetical order; none when there is nothing at the path. */
  methodsOf(url: string): readonly string[] {
    const path = pathOf(url);
    const allowed = new Set<string>();
    for (const route of this.#methodsByPattern.values()) {
      if (route.path.test(path)) for (const method of route.methods) allowed.add(method);
    }
    return [...allowed].toSorted();
  }

  #insert(pattern: string) {
    const source = pattern
      .split('/')
      .map((segment) => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment)))
      .join('/');
    const route = { path: new RegExp(`^${source}$`), methods: new Set<string>() };
    this.#methodsByPattern.set(pattern, route);
    return route;
  }
}

/** The path as the router reads it, however it is spelled; none of the routes' when it can't be decoded. */
function pathOf(target: string): string {
  const [, encoded = ''] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(target) ?? [];
  try {
    return decodeURI(encoded) || '/';
  } catch {
    return '';
  }
}
