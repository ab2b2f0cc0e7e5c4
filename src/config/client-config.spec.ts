import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inheritedEnvironment, readClientConfig } from './client-config.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'client-config-'));
  await mkdir(join(directory, 'certs'));
  await writeFile(join(directory, 'certs', 'ca.pem'), 'the CA in CERTS_DIR');
  await writeFile(join(directory, 'other.pem'), 'another CA');
  await writeFile(join(directory, 'key'), 'key-in-a-file\n', { mode: 0o600 });
});
afterAll(() => rm(directory, { recursive: true }));

const inDirectory = (name: string) => join(directory, name);

describe('inheritedEnvironment', () => {
  it('hands no secret of the server or of the client on, and all that others may have a use for', () => {
    const others = { PATH: '/bin', DATABASE_URL: 'postgres://app:hunter2@db/app' };
    const secrets = { API_KEY: 'key', ROOT_KEY: 'a', ROOT_KEY_PREVIOUS: 'b', TLS_KEY_PASSPHRASE: 'c' };
    expect(inheritedEnvironment({ ...others, ...secrets })).toEqual(others);
  });
});

describe('readClientConfig', () => {
  it('keeps the key from whatever prints it, and in no variable of the process', () => {
    process.env['API_KEY'] = 'hunter2';
    const config = readClientConfig();
    expect(config.bearer.reveal()).toBe('hunter2');
    expect(inspect(config) + JSON.stringify([config, process.env])).not.toContain('hunter2');
  });

  it('takes an empty variable for an absent one', () => {
    const absent = { CERTS_DIR: inDirectory('certs'), API_KEY_FILE: inDirectory('key') };
    const empty = { ...absent, API_URL: '', API_CA_FILE: '', API_KEY: '' };
    expect(readClientConfig(empty)).toEqual(readClientConfig(absent));
    expect(readClientConfig(empty).ca).toBe('the CA in CERTS_DIR');
    expect(readClientConfig(empty).bearer.reveal()).toBe('key-in-a-file');
    expect(readClientConfig(empty).url.href).toBe('https://localhost:3443/');
    expect(readClientConfig({ API_KEY: 'key', API_KEY_FILE: '' }).bearer.reveal()).toBe('key');
    expect(() => readClientConfig({ API_KEY: '', API_KEY_FILE: '' })).toThrow(/^API_KEY, or the file/);
    const besideCerts = { API_KEY: 'key', API_CA_FILE: inDirectory('other.pem') };
    expect(readClientConfig({ ...besideCerts, CERTS_DIR: '' }).ca).toBe('another CA');
  });

  it('trusts the CA in CERTS_DIR where there is one, unless API_CA_FILE names another', () => {
    const environment = { API_KEY: 'key', CERTS_DIR: inDirectory('certs') };
    expect(readClientConfig(environment).ca).toBe('the CA in CERTS_DIR');
    expect(readClientConfig({ ...environment, API_CA_FILE: inDirectory('other.pem') }).ca).toBe('another CA');
    expect(readClientConfig({ API_KEY: 'key', CERTS_DIR: inDirectory('none') }).ca).toBeUndefined();
  });
});
