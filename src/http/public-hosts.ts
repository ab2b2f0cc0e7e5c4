/** So many spellings of allowed hosts are remembered: names in other case, other ports. */
const MAX_REMEMBERED = 256;
/** A name or an IPv4 address, or an IPv6 address in brackets; then a port, if any (RFC 9110, section 7.2). */
const HOST_FIELD = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{0,5})?$/;

/**
 * The hosts that requests may be for. A port in the field says nothing: it is another one wherever a
 * container or a proxy maps it.
 */
export class PublicHosts {
  readonly #names: ReadonlySet<string>;
  /** Whole fields that were found good, so that a request costs one look-up. */
  readonly #fields: Set<string>;

  /** @param names - in lower case, IPv6 addresses in brackets, without ports */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    this.#fields = new Set(names);
  }

  /** @param field - the `Host` header field, or the authority of an absolute-form target */
  includes(field: string): boolean {
    return this.#fields.has(field) || this.#learn(field);
  }

  /** The name in the field, if it is one of these hosts. */
  nameIn(field: string): string | undefined {
    const name = HOST_FIELD.exec(field.toLowerCase())?.[1];
    return name !== undefined && this.#names.has(name) ? name : undefined;
  }

  #learn(field: string): boolean {
    if (this.nameIn(field) === undefined) return false;
    if (this.#fields.size < MAX_REMEMBERED) this.#fields.add(field);
    return true;
  }
}
