/** Runs a compiled statement at once, past Kysely's pool and plugins, which take longer than SQLite itself. */
export interface DirectConnection {
  /** A read outside of transactions. */
  read(sql: string, parameters: readonly unknown[]): unknown[];
  /** A statement of the transaction that runs now. */
  write(sql: string, parameters: readonly unknown[]): unknown[];
  scrub(): Promise<void>;
}
