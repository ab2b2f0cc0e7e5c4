import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { readFileSync } from 'node:fs';
import { StartError } from '../common/start-error.js';
import { EnvironmentVariables } from './environment-variables.js';

/** Raw variables, as the process or a `.env` file has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that hold a secret: each may come from the file that `<NAME>_FILE` names instead. */
export const SECRET_VARIABLES = ['DATABASE_URL', 'REDIS_URL'] as const;

/**
 * Secrets whose file is read by what uses it: the root keys, because it holds their 32 bytes themselves; the
 * passphrase, because it changes with the key while the server runs.
 */
export const SECRETS_READ_LATER = ['ROOT_KEY', 'ROOT_KEY_PREVIOUS', 'TLS_KEY_PASSPHRASE'] as const;

/**
 * Takes the secrets that were read out of the variables of the process: what prints those, or inherits them, finds none.
 * The system itself still knows what the process was started with, and tells the same user.
 */
export function forgetSecrets(names: readonly string[]): void {
  for (const name of names) delete process.env[name];
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
    Object.entries(raw).filter(([, value]) => value !== undefined && value.trim() !== ''),
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
  for (const name of SECRETS_READ_LATER) {
    if (variables[name] !== undefined && variables[`${name}_FILE`] !== undefined)
      faults.push(`${name} and ${name}_FILE are both set, keep one`);
  }
  if ((variables.TLS_CERT_FILE === undefined) !== (variables.TLS_KEY_FILE === undefined)) {
    if (variables.NODE_ENV !== 'production')
      faults.push('TLS_CERT_FILE and TLS_KEY_FILE must be set together');
  }
  faults.push(...clientAuthFaults(variables));
  if (faults.length > 0) throw new StartError(`the configuration has faults:\n  ${faults.join('\n  ')}`);
  return variables;
}

/** A file that nobody reads would look like protection. */
function clientAuthFaults({
  TLS_CLIENT_AUTH,
  TLS_CLIENT_CA_FILE,
  TLS_CLIENT_CRL_FILE,
}: EnvironmentVariables): string[] {
  const isOff = TLS_CLIENT_AUTH === 'off';
  if (['optional', 'required'].includes(TLS_CLIENT_AUTH) && TLS_CLIENT_CA_FILE === undefined)
    return [`TLS_CLIENT_CA_FILE is required when TLS_CLIENT_AUTH is ${TLS_CLIENT_AUTH}`];
  return Object.entries({ TLS_CLIENT_CA_FILE, TLS_CLIENT_CRL_FILE })
    .filter(([, file]) => isOff && file !== undefined)
    .map(([name]) => `${name} has no effect while TLS_CLIENT_AUTH is off`);
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
