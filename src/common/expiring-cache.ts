import { type Clock } from './clock.js';

interface Entry<V> {
  readonly loading: Promise<V>;
  readonly expiresAtMs: number;
  /** Set once loaded. */
  loaded?: { readonly value: V };
}

/**
 * Remembers what `load` gave for a bounded time and number of keys. Callers that ask at the same moment
 * share one load; a failed load is not remembered. It bounds how stale a revocation can be seen: never
 * older than `ttlMs`.
 */
export class ExpiringCache<V> {
  readonly #entries = new Map<string, Entry<V>>();

  constructor(
    private readonly options: { readonly ttlMs: number; readonly maxEntries: number },
    private readonly clock: Clock,
    private readonly load: (key: string) => Promise<V>,
  ) {}

  get(key: string): Promise<V> {
    return (this.#fresh(key) ?? this.#reload(key)).loading;
  }

  /** What is remembered and still fresh, without loading. */
  peek(key: string): V | undefined {
    return this.#fresh(key)?.loaded?.value;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  #fresh(key: string): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    const nowMs = this.clock.nowMs();
    // The second bound refuses entries from the future, so a clock set back can't stretch their life.
    return entry && nowMs < entry.expiresAtMs && entry.expiresAtMs <= nowMs + this.options.ttlMs
      ? entry
      : undefined;
  }

  #reload(key: string): Entry<V> {
    const loading = this.load(key);
    const entry: Entry<V> = { loading, expiresAtMs: this.clock.nowMs() + this.options.ttlMs };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    loading.then(
      (value) => {
        entry.loaded = { value };
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.options.maxEntries && !oldest.done) this.#entries.delete(oldest.value);
    return entry;
  }
}
