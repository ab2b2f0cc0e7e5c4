/** As Nest's `Logger` and tests have it. */
export interface TlsLog {
  log(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
