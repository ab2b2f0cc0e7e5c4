import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorCode } from '../common/error-code.js';
import { publish, readIfPresent } from './pem-file.js';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pem-file-'));
  file = join(directory, 'a.key');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('publish', () => {
  it('never replaces a file it was asked to create', async () => {
    await publish(file, 'first', { mode: 0o600, on: 'create' });
    await publish(file, 'second', { mode: 0o600, on: 'create' });
    expect(await readFile(file, 'utf8')).toBe('first');
  });

  it('replaces contents and mode together where asked to', async () => {
    await publish(file, 'first', { mode: 0o644, on: 'create' });
    await publish(file, 'second', { mode: 0o600, on: 'replace' });
    expect(await readFile(file, 'utf8')).toBe('second');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('shows sixteen racing creators the same contents, and leaves nothing beside the file', async () => {
    const seen = await Promise.all(
      Array.from({ length: 16 }, async (_none, index) => {
        await publish(file, `contents ${index}`, { mode: 0o600, on: 'create' });
        return readFile(file, 'utf8');
      }),
    );
    expect(new Set(seen).size).toBe(1);
    expect(await readdir(directory)).toEqual(['a.key']);
  });

  it('leaves nothing behind when it fails', async () => {
    const error = await publish(directory, 'x', { mode: 0o600, on: 'replace' }).catch((caught) => caught);
    expect(errorCode(error)).toBe('EISDIR');
    expect(await readdir(join(directory, '..'))).not.toContainEqual(
      expect.stringMatching(/^pem-file-.*\.tmp$/),
    );
  });
});

describe('readIfPresent', () => {
  it('tells a missing file from one that cannot be read', async () => {
    expect(await readIfPresent(file)).toBeUndefined();
    await expect(readIfPresent(directory)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
