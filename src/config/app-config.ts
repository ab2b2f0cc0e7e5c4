import { join, resolve } from 'node:path';
import { SecretText } from '../common/secret-text.js';
import { EnvironmentVariables } from './environment-variables.js';
import { type RootKeyLocation, rootKeyIn } from './root-key-location.js';

/**
 * The whole configuration: one typed, validated, immutable object, whose secrets nothing prints. Durations carry their
 * unit.
 */
export class AppConfig {
  readonly isProduction: boolean;

  readonly server: {
    readonly host: string;
    /** 0 lets the system choose. */
    readonly port: number;
    readonly docsEnabled: boolean;
    /** In lower case, without ports; the first is the one to name when one has to be chosen. */
    readonly publicHosts: readonly string[];
    /** For plain HTTP, which is sent to HTTPS; 0 lets the system choose. */
    readonly redirectPort: number | undefined;
    /** Addresses and networks whose `X-Forwarded-For` counts. */
    readonly trustedProxies: readonly string[];
    /** Whose scripts may read answers. */
    readonly corsOrigins: readonly string[];
  };

  readonly log: { readonly level: string; readonly pretty: boolean };

  readonly tls: {
    /** Where development certificates are made when no files are given. */
    readonly directory: string;
    readonly files:
      | {
          readonly certFile: string;
          readonly keyFile: string;
          /** Of the key: itself, or the file that holds it. */
          readonly passphrase: SecretText | { readonly file: string } | undefined;
        }
      | undefined;
    readonly profile: 'intermediate' | 'modern';
    /** Undefined when clients are not asked for a certificate. */
    readonly clients:
      | {
          readonly auth: 'optional' | 'required';
          readonly caFile: string;
          readonly crlFile: string | undefined;
        }
      | undefined;
  };

  readonly storage: { readonly databaseUrl: SecretText };

  readonly keys: {
    readonly root: RootKeyLocation;
    /** Where the root key before it is, if it is kept; the file need not be there. */
    readonly previousRoot: RootKeyLocation | undefined;
    /** Whether the server begins rotations by itself. */
    readonly rotation: 'auto' | 'manual';
    readonly kekMaxAgeDays: number;
    readonly tokenKeyMaxAgeDays: number;
  };

  readonly audit: {
    /** A checkpoint is signed after so many events, and after so many minutes. */
    readonly checkpointEvents: number;
    readonly checkpointMinutes: number;
    /** Where they are appended; into the log when absent. */
    readonly checkpointFile: string | undefined;
  };

  readonly auth: {
    readonly issuer: string;
    readonly audience: string;
    readonly registration: 'open' | 'closed';
    /** Unicode code points. Below 15 it is for users with a second factor; others need 15. */
    readonly passwordMinLength: number;
    /** A further list of passwords that nobody may choose. */
    readonly passwordListFile: string | undefined;
    readonly accessTokenTtlSeconds: number;
    readonly refreshIdleTtlSeconds: number;
    readonly refreshAbsoluteTtlSeconds: number;
    /** How long a used refresh token still gets the successor it got. 0 is never. */
    readonly refreshGraceSeconds: number;
    /** A user's live sessions; a further one ends the oldest. */
    readonly maxSessions: number;
  };

  readonly limits: {
    /** Of a client; 0 is no limit. */
    readonly requestsPerMinute: number;
    readonly authRequestsPerMinute: number;
    readonly maxInFlight: number;
    /** Where all instances count together, if they do. */
    readonly redisUrl: SecretText | undefined;
  };

  constructor(variables: EnvironmentVariables) {
    const dataDirectory = resolve(variables.DATA_DIR);
    const issuer = variables.ISSUER_URL ?? `https://localhost:${variables.PORT}`;
    this.isProduction = variables.NODE_ENV === 'production';
    this.server = {
      host: variables.HOST,
      port: variables.PORT,
      docsEnabled: variables.DOCS_ENABLED ?? !this.isProduction,
      publicHosts: publicHosts(variables.PUBLIC_HOSTS, issuer),
      redirectPort: variables.HTTP_REDIRECT_PORT,
      trustedProxies: variables.TRUSTED_PROXIES ?? [],
      corsOrigins: variables.CORS_ORIGINS ?? [],
    };
    this.log = { level: variables.LOG_LEVEL, pretty: variables.NODE_ENV === 'development' };
    this.tls = {
      directory: resolve(variables.CERTS_DIR),
      files:
        variables.TLS_CERT_FILE !== undefined && variables.TLS_KEY_FILE !== undefined
          ? {
              certFile: variables.TLS_CERT_FILE,
              keyFile: variables.TLS_KEY_FILE,
              passphrase:
                variables.TLS_KEY_PASSPHRASE_FILE === undefined
                  ? variables.TLS_KEY_PASSPHRASE
                  : { file: variables.TLS_KEY_PASSPHRASE_FILE },
            }
          : undefined,
      profile: variables.TLS_PROFILE,
      clients:
        variables.TLS_CLIENT_AUTH !== 'off' && variables.TLS_CLIENT_CA_FILE !== undefined
          ? {
              auth: variables.TLS_CLIENT_AUTH,
              caFile: variables.TLS_CLIENT_CA_FILE,
              crlFile: variables.TLS_CLIENT_CRL_FILE,
            }
          : undefined,
    };
    this.storage = {
      databaseUrl: variables.DATABASE_URL ?? new SecretText(`sqlite:${join(dataDirectory, 'app.db')}`),
    };
    const root = rootKeyIn(variables, 'ROOT_KEY') ?? { file: join(dataDirectory, 'root.key') };
    const besideIt = 'file' in root ? { file: `${root.file}.previous` } : undefined;
    this.keys = {
      root,
      previousRoot: rootKeyIn(variables, 'ROOT_KEY_PREVIOUS') ?? besideIt,
      rotation: variables.KEY_ROTATION,
      kekMaxAgeDays: variables.KEK_MAX_AGE_DAYS,
      tokenKeyMaxAgeDays: variables.TOKEN_KEY_MAX_AGE_DAYS,
    };
    this.audit = {
      checkpointEvents: variables.AUDIT_CHECKPOINT_EVENTS,
      checkpointMinutes: variables.AUDIT_CHECKPOINT_MINUTES,
      checkpointFile: variables.AUDIT_CHECKPOINT_FILE,
    };
    this.auth = {
      issuer,
      audience: variables.AUDIENCE ?? issuer,
      registration: variables.REGISTRATION,
      passwordMinLength: variables.PASSWORD_MIN_LENGTH,
      passwordListFile: variables.PASSWORD_LIST_FILE,
      accessTokenTtlSeconds: variables.ACCESS_TOKEN_TTL,
      refreshIdleTtlSeconds: variables.REFRESH_IDLE_TTL,
      refreshAbsoluteTtlSeconds: variables.REFRESH_ABSOLUTE_TTL,
      refreshGraceSeconds: variables.REFRESH_GRACE_SECONDS,
      maxSessions: variables.MAX_SESSIONS,
    };
    this.limits = {
      requestsPerMinute: variables.RATE_LIMIT_PER_MINUTE,
      authRequestsPerMinute: variables.AUTH_RATE_LIMIT_PER_MINUTE,
      maxInFlight: variables.MAX_IN_FLIGHT,
      redisUrl: variables.REDIS_URL,
    };
  }
}

/** Unless somebody says otherwise, the API is also what its tokens say it is. */
function publicHosts(given: readonly string[], issuer: string): readonly string[] {
  const isDefault = String(given) === String(new EnvironmentVariables().PUBLIC_HOSTS);
  return isDefault ? [...new Set([new URL(issuer).hostname, ...given])] : given;
}
