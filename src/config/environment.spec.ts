import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JsonLogger } from '../common/json-logger.js';
import { StartError } from '../common/start-error.js';
import { AppConfig } from './app-config.js';
import { AppConfigModule } from './config.module.js';
import { type Environment, parseEnvironment } from './environment.js';
import { type RootKeyLocation } from './root-key-location.js';

/** The lines of the refusal, without the first; none when there is no refusal. */
function faultsOf(environment: Environment): string[] {
  try {
    parseEnvironment(environment);
    return [];
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return error.message.split('\n  ').slice(1);
  }
}

function keysOf(environment: Environment): AppConfig['keys'] {
  return new AppConfig(parseEnvironment(environment)).keys;
}

function shownOf(location: RootKeyLocation | undefined): readonly string[] {
  if (!location || 'file' in location) return [];
  return [location.variable, location.provider, location.reference.reveal()];
}

function hostsOf(environment: Environment): readonly string[] {
  return new AppConfig(parseEnvironment(environment)).server.publicHosts;
}

function isDocumented(environment: Environment): boolean {
  return new AppConfig(parseEnvironment(environment)).server.docsEnabled;
}

describe('parseEnvironment', () => {
  it('needs nothing in development', () => {
    expect(parseEnvironment({})).toMatchObject({ NODE_ENV: 'development', HOST: 'localhost', PORT: 3443 });
  });

  it('takes an empty value for none', () => {
    expect(parseEnvironment({ PORT: '', LOG_LEVEL: '', DATABASE_URL: '' })).toEqual(parseEnvironment({}));
    expect(faultsOf({ NODE_ENV: 'production', TLS_CERT_FILE: '', ISSUER_URL: '' })).toHaveLength(4);
  });

  it('takes blanks for none', () => {
    expect(parseEnvironment({ DATA_DIR: ' ', AUDIENCE: '\t', PORT: ' ' })).toEqual(parseEnvironment({}));
    expect(faultsOf({ NODE_ENV: 'production', TLS_KEY_FILE: ' ', ROOT_KEY_FILE: '  ' })).toHaveLength(4);
  });

  it.each([
    'https://user@api.example.com',
    'https://user:password@api.example.com',
    'https://api.example.com/?tenant=1',
    'https://api.example.com/#main',
  ])('refuses an issuer that no metadata can name: %s', (issuer) => {
    expect(faultsOf({ ISSUER_URL: issuer })).toEqual([
      'ISSUER_URL must be an https:// URL without a user, query or fragment',
    ]);
  });

  it('ignores the variables of others', () => {
    expect(parseEnvironment({ PATH: '/bin', constructor: 'x', toString: 'y' })).toEqual(parseEnvironment({}));
  });

  it('lists every fault at once, each with what would be accepted', () => {
    const faults = faultsOf({
      NODE_ENV: 'staging',
      HOST: 'local host',
      PORT: '65536',
      PUBLIC_HOSTS: 'localhost,https://api.example.com',
      HTTP_REDIRECT_PORT: 'http',
      TRUSTED_PROXIES: '10.0.0.0/8,0.0.0.0/0',
      CORS_ORIGINS: '*',
      DOCS_ENABLED: 'yes',
      LOG_LEVEL: 'loud',
      TLS_PROFILE: 'old',
      TLS_CLIENT_AUTH: 'maybe',
      DATABASE_URL: 'mysql://x',
      REDIS_URL: '127.0.0.1:6379',
      ISSUER_URL: 'http://insecure.example',
      REGISTRATION: 'maybe',
      PASSWORD_MIN_LENGTH: '7',
      ACCESS_TOKEN_TTL: '5m',
      REFRESH_IDLE_TTL: '0',
      REFRESH_ABSOLUTE_TTL: '-1',
      RATE_LIMIT_PER_MINUTE: '-1',
      AUTH_RATE_LIMIT_PER_MINUTE: 'none',
      MAX_IN_FLIGHT: '0',
    });
    expect(faults).toEqual([
      'NODE_ENV must be one of development, production, test',
      'HOST must be a host name or an IP address',
      'PORT must be a whole number (0 to 65535)',
      'PUBLIC_HOSTS must be host names or IP addresses without ports, IPv6 in brackets, apart by commas',
      'HTTP_REDIRECT_PORT must be a whole number (0 to 65535)',
      'TRUSTED_PROXIES must be IP addresses or networks such as 10.0.0.0/8, apart by commas',
      'CORS_ORIGINS must be origins such as https://app.example.com, apart by commas',
      'DOCS_ENABLED must be true or false',
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent',
      'TLS_PROFILE must be one of intermediate, modern',
      'TLS_CLIENT_AUTH must be one of off, optional, required',
      'DATABASE_URL must be sqlite:<path> or postgres://…',
      'REDIS_URL must be redis://… or rediss://…',
      'ISSUER_URL must be an https:// URL without a user, query or fragment',
      'REGISTRATION must be one of open, closed',
      'PASSWORD_MIN_LENGTH must be a whole number (characters, 8 to 128)',
      'ACCESS_TOKEN_TTL must be a whole number (seconds, 30 to 3600)',
      'REFRESH_IDLE_TTL must be a whole number (seconds, 60 to 31536000)',
      'REFRESH_ABSOLUTE_TTL must be a whole number (seconds, 60 to 31536000)',
      'RATE_LIMIT_PER_MINUTE must be a whole number (requests, 0 for no limit, 0 to 1000000)',
      'AUTH_RATE_LIMIT_PER_MINUTE must be a whole number (requests, 0 for no limit, 0 to 1000000)',
      'MAX_IN_FLIGHT must be a whole number (requests, 1 to 1000000)',
    ]);
  });

  it('names everything that production lacks', () => {
    expect(faultsOf({ NODE_ENV: 'production' })).toEqual([
      'TLS_CERT_FILE is required in production',
      'TLS_KEY_FILE is required in production',
      'ROOT_KEY_FILE or ROOT_KEY is required in production',
      'ISSUER_URL is required in production',
    ]);
  });

  it('wants a certificate and its key together', () => {
    expect(faultsOf({ TLS_CERT_FILE: 'a.pem' })).toEqual([
      'TLS_CERT_FILE and TLS_KEY_FILE must be set together',
    ]);
    expect(faultsOf({ TLS_CERT_FILE: 'a.pem', TLS_KEY_FILE: 'a.key' })).toEqual([]);
  });

  it('takes a root key from a variable or a file, not both, and repeats none', () => {
    const ROOT_KEY = randomBytes(32).toString('base64url');
    expect(faultsOf({ ROOT_KEY, ROOT_KEY_PREVIOUS: ROOT_KEY })).toEqual([]);
    const faults = faultsOf({
      ROOT_KEY,
      ROOT_KEY_FILE: 'a',
      ROOT_KEY_PREVIOUS: ROOT_KEY,
      ROOT_KEY_PREVIOUS_FILE: 'b',
    });
    expect(faults).toEqual([
      'ROOT_KEY and ROOT_KEY_FILE are both set, keep one',
      'ROOT_KEY_PREVIOUS and ROOT_KEY_PREVIOUS_FILE are both set, keep one',
    ]);
    expect(faultsOf({ NODE_ENV: 'production', ROOT_KEY })).toHaveLength(3);
  });

  it('takes the passphrase of the key from a variable or a file, not both', () => {
    const passphrase = { TLS_KEY_PASSPHRASE: 'hunter2' };
    expect(faultsOf({ ...passphrase, TLS_KEY_PASSPHRASE_FILE: 'a' })).toEqual([
      'TLS_KEY_PASSPHRASE and TLS_KEY_PASSPHRASE_FILE are both set, keep one',
    ]);
  });

  it('wants a CA to ask clients for certificates, and none when it asks for none', () => {
    const file = { TLS_CLIENT_CA_FILE: 'ca.pem', TLS_CLIENT_CRL_FILE: 'crl.pem' };
    for (const auth of ['optional', 'required']) {
      expect(faultsOf({ TLS_CLIENT_AUTH: auth })).toEqual([
        `TLS_CLIENT_CA_FILE is required when TLS_CLIENT_AUTH is ${auth}`,
      ]);
      expect(faultsOf({ TLS_CLIENT_AUTH: auth, ...file })).toEqual([]);
    }
    expect(faultsOf(file)).toEqual([
      'TLS_CLIENT_CA_FILE has no effect while TLS_CLIENT_AUTH is off',
      'TLS_CLIENT_CRL_FILE has no effect while TLS_CLIENT_AUTH is off',
    ]);
  });

  it.each([
    ['31 bytes', Buffer.alloc(31, 1).toString('base64url')],
    ['33 bytes', Buffer.alloc(33, 1).toString('base64url')],
    ['base64 with padding', Buffer.alloc(32, 0xfb).toString('base64')],
    ['characters of base64', Buffer.alloc(32, 0xfb).toString('base64').replace('=', '')],
    ['bits that no byte has', `${'A'.repeat(42)}B`],
    ['a space before it', ` ${'A'.repeat(43)}`],
    ['a line break after it', `${'A'.repeat(43)}\n`],
    ['hexadecimal', 'ab'.repeat(32)],
  ])('does not take %s for a root key', (_claim, value) => {
    const fault = 'must be 32 bytes in base64url (43 characters, no padding), or <provider>:<reference>';
    expect(faultsOf({ ROOT_KEY: value, ROOT_KEY_PREVIOUS: value })).toEqual([
      `ROOT_KEY ${fault}`,
      `ROOT_KEY_PREVIOUS ${fault}`,
    ]);
  });

  it.each([Buffer.alloc(32), Buffer.alloc(32, 'changeme')])('takes no placeholder for a root key', (raw) => {
    const ROOT_KEY = raw.toString('base64url');
    expect(faultsOf({ ROOT_KEY, ROOT_KEY_PREVIOUS: ROOT_KEY })).toEqual([
      'ROOT_KEY must be random, not a placeholder',
      'ROOT_KEY_PREVIOUS must be random, not a placeholder',
    ]);
    expect(faultsOf({ ROOT_KEY: `kms:${'a'.repeat(39)}` })).toEqual([]);
  });

  it.each(['1e3', '0x10', ' 80', '80 ', '8o', '1.5', '+1', '１'])(
    'does not take %j for a number',
    (value) => {
      expect(faultsOf({ PORT: value })).toEqual(['PORT must be a whole number (0 to 65535)']);
    },
  );

  describe('with a secret in a file', () => {
    let directory: string;
    let file: string;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'environment-'));
      file = join(directory, 'url');
    });
    afterEach(() => rm(directory, { recursive: true }));

    it('reads it without the line break at its end', async () => {
      for (const end of ['', '\n', '\r\n']) {
        await writeFile(file, `postgres://user:hunter2@db/app${end}`);
        expect(parseEnvironment({ DATABASE_URL_FILE: file }).DATABASE_URL?.reveal()).toBe(
          'postgres://user:hunter2@db/app',
        );
      }
    });

    it('refuses two sources, an unreadable file, and a bad value, and repeats none of it', async () => {
      await writeFile(file, 'hunter2');
      const faults = [
        ...faultsOf({ DATABASE_URL_FILE: file, DATABASE_URL: 'postgres://hunter2@db/app' }),
        ...faultsOf({ DATABASE_URL_FILE: join(directory, 'absent') }),
        ...faultsOf({ DATABASE_URL_FILE: file }),
      ];
      expect(faults).toEqual([
        'DATABASE_URL and DATABASE_URL_FILE are both set, keep one',
        `DATABASE_URL_FILE names ${join(directory, 'absent')}, which cannot be read`,
        'DATABASE_URL must be sqlite:<path> or postgres://…',
      ]);
    });

    it.each(['REDIS_URL', 'DATABASE_URL'])(
      'refuses %s with a bad host or port, without its password',
      (name) => {
        const scheme = name === 'REDIS_URL' ? 'redis' : 'postgres';
        for (const place of ['127.0.0.1:99999', '127.0.0.1:port', '[::1', 'a b', '127.0.0.1:1:2']) {
          const [fault, ...others] = faultsOf({ [name]: `${scheme}://:hunter2@${place}` });
          expect(fault).toMatch(/^(REDIS|DATABASE)_URL must be .*, with a valid host and port, /);
          expect(fault).not.toContain('hunter2');
          expect(others).toEqual([]);
        }
      },
    );

    it.each([
      { REDIS_URL: 'rediss://user:p%40ss@[::1]:6380/1' },
      { DATABASE_URL: 'postgres://user@/app?host=/run/postgresql' },
      { DATABASE_URL: 'postgres://user:p%40ss@db.example.com:5432/app' },
      { DATABASE_URL: 'sqlite:data/a b.db' },
    ])('takes %o', (environment) => {
      expect(faultsOf(environment)).toEqual([]);
    });

    it('takes every secret out of the environment of the process', async () => {
      const secrets = {
        DATABASE_URL: 'postgres://user:hunter2@db/app',
        REDIS_URL: 'redis://:hunter2@redis/0',
        ROOT_KEY: `kms:hunter2`,
        ROOT_KEY_PREVIOUS: `kms:hunter2`,
        TLS_KEY_PASSPHRASE: 'hunter2',
      };
      Object.assign(process.env, secrets);
      const { config } = await AppConfigModule.load();
      expect(config.storage.databaseUrl.reveal()).toBe(secrets.DATABASE_URL);
      expect(JSON.stringify(process.env)).not.toContain('hunter2');
    });

    it('puts no secret into the environment of the process', async () => {
      await writeFile(file, 'postgres://user:hunter2@db/app');
      const { config } = await AppConfigModule.load({ DATABASE_URL_FILE: file });
      expect(config.storage.databaseUrl.reveal()).toBe('postgres://user:hunter2@db/app');
      expect(JSON.stringify(process.env)).not.toContain('hunter2');
    });
  });
});

describe('AppConfig', () => {
  it('keeps everything it makes in the data and certificate directories', () => {
    const config = new AppConfig(parseEnvironment({ DATA_DIR: '/d', CERTS_DIR: '/c' }));
    expect(config.storage.databaseUrl.reveal()).toBe('sqlite:/d/app.db');
    expect(config.keys).toMatchObject({
      root: { file: '/d/root.key' },
      previousRoot: { file: '/d/root.key.previous' },
    });
    expect(config.tls.directory).toBe('/c');
  });

  it('looks for a previous root key beside a root key file, and nowhere beside a variable', () => {
    const key = randomBytes(32).toString('base64url');
    expect(keysOf({ ROOT_KEY_FILE: '/k' }).previousRoot).toEqual({ file: '/k.previous' });
    expect(keysOf({ ROOT_KEY_PREVIOUS_FILE: '/p' }).previousRoot).toEqual({ file: '/p' });
    expect(keysOf({ ROOT_KEY: key }).previousRoot).toBeUndefined();
    const inVariables = keysOf({ ROOT_KEY: key, ROOT_KEY_PREVIOUS: 'kms:arn:aws:kms:eu-1:key/1' });
    expect(shownOf(inVariables.root)).toEqual(['ROOT_KEY', 'env', key]);
    expect(shownOf(inVariables.previousRoot)).toEqual(['ROOT_KEY_PREVIOUS', 'kms', 'arn:aws:kms:eu-1:key/1']);
  });

  it('and its variables, printed in any way, show no secret', async () => {
    const [rootKey, previous] = [1, 2].map(() => randomBytes(32).toString('base64url'));
    const variables = parseEnvironment({
      ROOT_KEY: rootKey,
      ROOT_KEY_PREVIOUS: `kms:${previous}`,
      DATABASE_URL: 'postgres://app:hunter2@db/app',
      REDIS_URL: 'redis://:hunter2@redis/0',
      TLS_CERT_FILE: 'a.pem',
      TLS_KEY_FILE: 'a.key',
      TLS_KEY_PASSPHRASE: 'hunter2',
    });
    const config = new AppConfig(variables);
    const lines: string[] = [];
    new JsonLogger('info', { write: (line: string) => void lines.push(line) }).log({ config, variables });
    const printed = [...lines];
    for (const value of [config, variables])
      printed.push(
        inspect(value, { depth: 9, showHidden: true }),
        JSON.stringify(value),
        format('%o', value),
      );
    for (const secret of [rootKey, previous, 'hunter2']) expect(printed.join('')).not.toContain(secret);
    expect(lines.join('')).toContain('[redacted]');
  });

  it('shows the documentation page in development and, unless told, not in production', () => {
    const production = {
      NODE_ENV: 'production',
      TLS_CERT_FILE: 'a',
      TLS_KEY_FILE: 'b',
      ROOT_KEY_FILE: 'c',
      ISSUER_URL: 'https://api.example.com',
    };
    expect(isDocumented({})).toBe(true);
    expect(isDocumented(production)).toBe(false);
    expect(isDocumented({ ...production, DOCS_ENABLED: 'true' })).toBe(true);
  });

  it('takes requests for the host of the issuer, unless other hosts are named', () => {
    const ISSUER_URL = 'https://api.example.com:8443/';
    expect(hostsOf({})).toEqual(['localhost', '127.0.0.1', '[::1]']);
    expect(hostsOf({ ISSUER_URL })).toEqual(['api.example.com', 'localhost', '127.0.0.1', '[::1]']);
    expect(hostsOf({ ISSUER_URL, PUBLIC_HOSTS: 'A.example, [::1]' })).toEqual(['a.example', '[::1]']);
  });

  it.each([
    [
      'TRUSTED_PROXIES',
      ['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32'],
      ['10.0.0.0/33', '10.0.0.0/', 'proxy', '10.0.0.1/0', '*'],
    ],
    [
      'CORS_ORIGINS',
      ['https://a.example', 'http://localhost:5173'],
      ['null', '*', 'https://a.example/', 'https://*.example', 'a.example', 'https://a.example:443'],
    ],
    [
      'PUBLIC_HOSTS',
      ['a.example', '[::1]', '127.0.0.1'],
      ['*', '*.example', 'a.example:443', '::1', 'https://a.example', 'a.example/'],
    ],
  ])('takes in %s %j and none of %j', (name, good, bad) => {
    expect(faultsOf({ [name]: good.join(' , ') })).toEqual([]);
    expect(bad.filter((value) => faultsOf({ [name]: value }).length === 0)).toEqual([]);
  });
});
