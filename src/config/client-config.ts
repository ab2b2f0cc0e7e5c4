import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SecretText } from '../common/secret-text.js';
import { StartError } from '../common/start-error.js';
import { type Environment, forgetSecrets, SECRETS_READ_LATER } from './environment.js';

/** What the command line reads as a client of a running server. Never from an argument: those are seen by others. */
export const CLIENT_VARIABLES = ['API_URL', 'API_CA_FILE', 'API_KEY', 'API_KEY_FILE'] as const;

const DEFAULT_URL = 'https://localhost:3443';

export interface ClientConfig {
  readonly url: URL;
  /** PEM; the system's authorities when absent. */
  readonly ca: string | undefined;
  /** An API key or an access token. */
  readonly bearer: SecretText;
}

/**
 * A blank variable counts as absent. The key is taken out of the process's variables.
 *
 * @throws {StartError} naming the variable and what would be accepted
 */
export function readClientConfig(environment?: Environment): ClientConfig {
  const given = Object.entries(environment ?? process.env);
  const present = Object.fromEntries(given.filter(([, value]) => value?.trim() !== ''));
  const config = {
    url: readUrl(present['API_URL'] ?? DEFAULT_URL),
    ca: readCa(present),
    bearer: readBearer(present),
  };
  if (!environment) forgetSecrets(['API_KEY']);
  return config;
}

/**
 * What a command that is started inherits: everything but the key of the one who starts it, and the secrets under names
 * that only this server has a use for.
 */
export function inheritedEnvironment(environment: Environment = process.env): Environment {
  const secret = new Set<string>([...CLIENT_VARIABLES, ...SECRETS_READ_LATER]);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.has(name)));
}

/**
 * A file that holds something secret, without a line break at its end.
 *
 * @throws {StartError} when it can't be read, or others than its owner can
 */
export function readPrivateFile(file: string): string {
  let mode: number;
  let text: string;
  try {
    mode = statSync(file).mode;
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new StartError(`${file} cannot be read`, { cause });
  }
  // Windows has no such bits.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new StartError(`${file} can be read by others: run \`chmod 600 ${file}\``);
  }
  return text.replace(/\r?\n$/, '');
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') throw new StartError('API_URL must be an https:// URL');
  return url;
}

function readCa(environment: Environment): string | undefined {
  const file = environment['API_CA_FILE'];
  const made = join(environment['CERTS_DIR'] ?? 'certs', 'ca.pem');
  if (file === undefined && !existsSync(made)) return undefined;
  try {
    return readFileSync(file ?? made, 'utf8');
  } catch (cause) {
    throw new StartError(`API_CA_FILE names ${file ?? made}, which cannot be read`, { cause });
  }
}

function readBearer({ API_KEY: key, API_KEY_FILE: file }: Environment): SecretText {
  if (key !== undefined && file !== undefined) {
    throw new StartError('API_KEY and API_KEY_FILE are both set, keep one');
  }
  const bearer = file === undefined ? key : readPrivateFile(file);
  if (bearer === undefined || !/^[\w.~+/=-]+$/.test(bearer)) {
    throw new StartError('API_KEY, or the file that API_KEY_FILE names, must hold an API key');
  }
  return new SecretText(bearer);
}
