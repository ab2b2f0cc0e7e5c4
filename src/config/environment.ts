import { plainToInstance } from 'class-transformer';
import { IsOptional, IsString, IsUrl, Matches, validateSync } from 'class-validator';
import { readFileSync } from 'node:fs';
import { StartError } from '../common/start-error.js';
import { Bounded, OneOf, RootKey, ToBoolean } from './variable-rules.js';

/** Raw variables, as the process or a `.env` file has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that hold a secret: each may come from the file that `<NAME>_FILE` names instead. */
export const SECRET_VARIABLES = ['DATABASE_URL', 'TLS_KEY_PASSPHRASE'] as const;

/** The root keys as text. What `<NAME>_FILE` names holds the 32 bytes themselves. */
const ROOT_KEY_VARIABLES = ['ROOT_KEY', 'ROOT_KEY_PREVIOUS'] as const;

const Port = () => Bounded(0, 65_535);
const Seconds = (min: number, max: number) => Bounded(min, max, 'seconds, ');
const Days = (min: number, max: number) => Bounded(min, max, 'days, ');

/**
 * Every variable, validated. An empty value counts as absent. `.env.example` and `docs/configuration.md`
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
  @IsString()
  readonly TLS_KEY_PASSPHRASE?: string;

  @OneOf('intermediate', 'modern')
  readonly TLS_PROFILE: 'intermediate' | 'modern' = 'intermediate';

  @IsOptional()
  @Matches(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/, { message: 'must be sqlite:<path> or postgres://…' })
  readonly DATABASE_URL?: string;

  @IsOptional()
  @RootKey()
  readonly ROOT_KEY?: string;

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
  readonly ROOT_KEY_PREVIOUS?: string;

  @IsOptional()
  @IsString()
  readonly ROOT_KEY_PREVIOUS_FILE?: string;

  @IsOptional()
  @IsUrl(
    { protocols: ['https'], require_protocol: true, require_tld: false },
    { message: 'must be an https:// URL' },
  )
  readonly ISSUER_URL?: string;

  @IsOptional()
  @IsString()
  readonly AUDIENCE?: string;

  @OneOf('open', 'closed')
  readonly REGISTRATION: 'open' | 'closed' = 'open';

  @Bounded(15, 128, 'characters, ')
  readonly PASSWORD_MIN_LENGTH: number = 15;

  @Seconds(30, 3_600)
  readonly ACCESS_TOKEN_TTL: number = 300;

  @Seconds(60, 31_536_000)
  readonly REFRESH_IDLE_TTL: number = 604_800;

  @Seconds(60, 31_536_000)
  readonly REFRESH_ABSOLUTE_TTL: number = 2_592_000;
}

/** What production must be given, one of each, since everything else about it could only be guessed. */
const REQUIRED_IN_PRODUCTION = [
  ['TLS_CERT_FILE'],
  ['TLS_KEY_FILE'],
  ['ROOT_KEY_FILE', 'ROOT_KEY'],
  ['ISSUER_URL'],
] as const;

/**
 * Reads and checks every variable.
 *
 * @throws {StartError} with one line for each bad or missing variable and what would be accepted
 */
export function parseEnvironment(raw: Environment): EnvironmentVariables {
  const faults: string[] = [];
  const present = Object.fromEntries(
    Object.entries(raw).filter(([, value]) => value !== undefined && value !== ''),
  );
  readSecretFiles(present, faults);

  const known = Object.keys(new EnvironmentVariables());
  const own = Object.fromEntries(Object.entries(present).filter(([name]) => known.includes(name)));
  const variables = plainToInstance(EnvironmentVariables, own, { exposeDefaultValues: true });
  for (const { property, constraints = {} } of validateSync(variables)) {
    faults.push(`${property} ${Object.values(constraints).join(' and ')}`);
  }
  if (variables.NODE_ENV === 'production') {
    for (const names of REQUIRED_IN_PRODUCTION) {
      if (names.every((name) => variables[name] === undefined))
        faults.push(`${names.join(' or ')} is required in production`);
    }
  }
  for (const name of ROOT_KEY_VARIABLES) {
    if (variables[name] !== undefined && variables[`${name}_FILE`] !== undefined)
      faults.push(`${name} and ${name}_FILE are both set, keep one`);
  }
  if ((variables.TLS_CERT_FILE === undefined) !== (variables.TLS_KEY_FILE === undefined)) {
    if (variables.NODE_ENV !== 'production')
      faults.push('TLS_CERT_FILE and TLS_KEY_FILE must be set together');
  }
  if (faults.length > 0) throw new StartError(`the configuration has faults:\n  ${faults.join('\n  ')}`);
  return variables;
}

/** Docker and Kubernetes hand secrets over as files; a trailing line break is not part of the secret. */
function readSecretFiles(present: Record<string, string | undefined>, faults: string[]): void {
  for (const name of SECRET_VARIABLES) {
    const file = present[`${name}_FILE`];
    if (file === undefined) continue;
    if (present[name] !== undefined) {
      faults.push(`${name} and ${name}_FILE are both set, keep one`);
      continue;
    }
    try {
      present[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch {
      faults.push(`${name}_FILE names ${file}, which cannot be read`);
    }
  }
}
