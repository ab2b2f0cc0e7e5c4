import { IsOptional, IsString, IsUrl, Matches } from 'class-validator';
import { type SecretText } from '../common/secret-text.js';
import {
  Bounded,
  isNetwork,
  isOrigin,
  isUrlHost,
  ListOf,
  OneOf,
  RootKey,
  Secret,
  ServiceUrl,
  ToBoolean,
} from './variable-rules.js';

const Port = () => Bounded(0, 65_535);
const Seconds = (min: number, max: number) => Bounded(min, max, 'seconds, ');
const PerMinute = () => Bounded(0, 1_000_000, 'requests, 0 for no limit, ');
const Days = (min: number, max: number) => Bounded(min, max, 'days, ');

/**
 * Every variable, validated. A blank value counts as absent. `.env.example` and `docs/configuration.md`
 * list the same names.
 */
export class EnvironmentVariables {
  @OneOf('development', 'production', 'test')
  readonly NODE_ENV: 'development' | 'production' | 'test' = 'development';

  @IsString()
  @Matches(/^[A-Za-z0-9.:_-]+$/, { message: 'must be a host name or an IP address' })
  readonly HOST: string = 'localhost';

  @Port()
  readonly PORT: number = 3443;

  @ListOf(isUrlHost, 'host names or IP addresses without ports, IPv6 in brackets')
  readonly PUBLIC_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

  @IsOptional()
  @Port()
  readonly HTTP_REDIRECT_PORT?: number;

  @IsOptional()
  @ListOf(isNetwork, 'IP addresses or networks such as 10.0.0.0/8')
  readonly TRUSTED_PROXIES?: readonly string[];

  @IsOptional()
  @ListOf(isOrigin, 'origins such as https://app.example.com')
  readonly CORS_ORIGINS?: readonly string[];

  @IsOptional()
  @ToBoolean()
  readonly DOCS_ENABLED?: boolean;

  @OneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')
  readonly LOG_LEVEL: string = 'info';

  @IsString()
  readonly DATA_DIR: string = 'data';

  @IsString()
  readonly CERTS_DIR: string = 'certs';

  @IsOptional()
  @IsString()
  readonly TLS_CERT_FILE?: string;

  @IsOptional()
  @IsString()
  readonly TLS_KEY_FILE?: string;

  @IsOptional()
  @Secret()
  readonly TLS_KEY_PASSPHRASE?: SecretText;

  @IsOptional()
  @IsString()
  readonly TLS_KEY_PASSPHRASE_FILE?: string;

  @OneOf('intermediate', 'modern')
  readonly TLS_PROFILE: 'intermediate' | 'modern' = 'intermediate';

  @OneOf('off', 'optional', 'required')
  readonly TLS_CLIENT_AUTH: 'off' | 'optional' | 'required' = 'off';

  @IsOptional()
  @IsString()
  readonly TLS_CLIENT_CA_FILE?: string;

  @IsOptional()
  @IsString()
  readonly TLS_CLIENT_CRL_FILE?: string;

  @IsOptional()
  @ServiceUrl(/^(sqlite:(?!:|file:).+|postgres(ql)?:\/\/.+)$/, 'sqlite:<path> or postgres://…')
  readonly DATABASE_URL?: SecretText;

  @IsOptional()
  @ServiceUrl(/^rediss?:\/\/[^/]+/, 'redis://… or rediss://…')
  readonly REDIS_URL?: SecretText;

  @IsOptional()
  @RootKey()
  readonly ROOT_KEY?: SecretText;

  @IsOptional()
  @IsString()
  readonly ROOT_KEY_FILE?: string;

  @OneOf('auto', 'manual')
  readonly KEY_ROTATION: 'auto' | 'manual' = 'auto';

  @Days(1, 3_650)
  readonly KEK_MAX_AGE_DAYS: number = 90;

  @Days(1, 365)
  readonly TOKEN_KEY_MAX_AGE_DAYS: number = 30;

  @IsOptional()
  @RootKey()
  readonly ROOT_KEY_PREVIOUS?: SecretText;

  @IsOptional()
  @IsString()
  readonly ROOT_KEY_PREVIOUS_FILE?: string;

  @Bounded(1, 1_000_000, 'events, ')
  readonly AUDIT_CHECKPOINT_EVENTS: number = 1_000;

  @Bounded(1, 1_440, 'minutes, ')
  readonly AUDIT_CHECKPOINT_MINUTES: number = 5;

  @IsOptional()
  @IsString()
  readonly AUDIT_CHECKPOINT_FILE?: string;

  @IsOptional()
  @IsUrl(
    {
      protocols: ['https'],
      require_protocol: true,
      require_tld: false,
      disallow_auth: true,
      allow_query_components: false,
      allow_fragments: false,
    },
    // RFC 8414, section 2.
    { message: 'must be an https:// URL without a user, query or fragment' },
  )
  readonly ISSUER_URL?: string;

  @IsOptional()
  @IsString()
  readonly AUDIENCE?: string;

  @OneOf('open', 'closed')
  readonly REGISTRATION: 'open' | 'closed' = 'open';

  @Bounded(8, 128, 'characters, ')
  readonly PASSWORD_MIN_LENGTH: number = 15;

  @IsOptional()
  @IsString()
  readonly PASSWORD_LIST_FILE?: string;

  @Seconds(30, 3_600)
  readonly ACCESS_TOKEN_TTL: number = 300;

  @Seconds(60, 31_536_000)
  readonly REFRESH_IDLE_TTL: number = 604_800;

  @Seconds(60, 31_536_000)
  readonly REFRESH_ABSOLUTE_TTL: number = 2_592_000;

  @Seconds(0, 60)
  readonly REFRESH_GRACE_SECONDS: number = 10;

  @Bounded(1, 1_000, 'sessions, ')
  readonly MAX_SESSIONS: number = 10;

  @PerMinute()
  readonly RATE_LIMIT_PER_MINUTE: number = 100;

  @PerMinute()
  readonly AUTH_RATE_LIMIT_PER_MINUTE: number = 10;

  @Bounded(1, 1_000_000, 'requests, ')
  readonly MAX_IN_FLIGHT: number = 1_000;
}
