import { join, resolve } from 'node:path';
import { type EnvironmentVariables } from './environment.js';

/** The whole configuration: one typed, validated, immutable object. Durations carry their unit. */
export class AppConfig {
  readonly isProduction: boolean;

  readonly server: {
    readonly host: string;
    /** 0 lets the system choose. */
    readonly port: number;
    readonly docsEnabled: boolean;
  };

  readonly log: { readonly level: string; readonly pretty: boolean };

  readonly tls: {
    /** Where development certificates are made when no files are given. */
    readonly directory: string;
    readonly files:
      | { readonly certFile: string; readonly keyFile: string; readonly passphrase: string | undefined }
      | undefined;
    readonly profile: 'intermediate' | 'modern';
  };

  readonly storage: { readonly databaseUrl: string };

  readonly keys: { readonly rootKeyFile: string };

  readonly auth: {
    readonly issuer: string;
    readonly audience: string;
    readonly registration: 'open' | 'closed';
    /** Unicode code points. */
    readonly passwordMinLength: number;
    readonly accessTokenTtlSeconds: number;
    readonly refreshIdleTtlSeconds: number;
    readonly refreshAbsoluteTtlSeconds: number;
  };

  constructor(variables: EnvironmentVariables) {
    const dataDirectory = resolve(variables.DATA_DIR);
    const issuer = variables.ISSUER_URL ?? `https://localhost:${variables.PORT}`;
    this.isProduction = variables.NODE_ENV === 'production';
    this.server = {
      host: variables.HOST,
      port: variables.PORT,
      docsEnabled: variables.DOCS_ENABLED ?? !this.isProduction,
    };
    this.log = { level: variables.LOG_LEVEL, pretty: variables.NODE_ENV === 'development' };
    this.tls = {
      directory: resolve(variables.CERTS_DIR),
      files:
        variables.TLS_CERT_FILE !== undefined && variables.TLS_KEY_FILE !== undefined
          ? {
              certFile: variables.TLS_CERT_FILE,
              keyFile: variables.TLS_KEY_FILE,
              passphrase: variables.TLS_KEY_PASSPHRASE,
            }
          : undefined,
      profile: variables.TLS_PROFILE,
    };
    this.storage = { databaseUrl: variables.DATABASE_URL ?? `sqlite:${join(dataDirectory, 'app.db')}` };
    this.keys = { rootKeyFile: variables.ROOT_KEY_FILE ?? join(dataDirectory, 'root.key') };
    this.auth = {
      issuer,
      audience: variables.AUDIENCE ?? issuer,
      registration: variables.REGISTRATION,
      passwordMinLength: variables.PASSWORD_MIN_LENGTH,
      accessTokenTtlSeconds: variables.ACCESS_TOKEN_TTL,
      refreshIdleTtlSeconds: variables.REFRESH_IDLE_TTL,
      refreshAbsoluteTtlSeconds: variables.REFRESH_ABSOLUTE_TTL,
    };
  }
}
