import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmod,
  link,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { SecretText } from '../common/secret-text.js';
import { StartError } from '../common/start-error.js';
import { DecryptionError } from '../crypto/errors.js';
import { EnvRootKeyProvider } from './env-root-key.provider.js';
import { FileRootKeyProvider } from './file-root-key.provider.js';
import { makeRootKeyFile, removeUnfinished } from './make-root-key-file.js';
import { RootKeyFiles } from './root-key-files.js';
import { RootKeyPlaces } from './root-key-places.js';
import { shredRootKeyFile } from './shred-root-key-file.js';
import { type RootKeyProvider } from './root-key-provider.js';

const context = { purpose: 'user-kek', owner: 'ada' };

describe('a root key', () => {
  let directory: string;
  let file: string;
  let raw: Buffer;
  let files: RootKeyFiles;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'root-key-'));
    file = join(directory, 'root.key');
    raw = randomBytes(32);
    await writeFile(file, raw, { mode: 0o600 });
    files = new RootKeyFiles(file, `${file}.previous`);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const value = () => raw.toString('base64url');

  it('is the same from a file and from a variable', async () => {
    const wrapped = await FileRootKeyProvider.load(file).wrap(Buffer.from('key'), context);
    const fromVariable = new EnvRootKeyProvider(value());
    expect(fromVariable.id).toBe(FileRootKeyProvider.load(file).id);
    expect(Buffer.from(await fromVariable.unwrap(wrapped, context)).toString()).toBe('key');
  });

  it.each<[string, () => RootKeyProvider]>([
    ['a file', () => FileRootKeyProvider.load(file)],
    ['a variable', () => new EnvRootKeyProvider(value())],
    ['a KMS, which the fake stands for', () => new StaticRootKeyProvider()],
  ])(
    'from %s unwraps what it wrapped, in that context only, and shows itself nowhere',
    async (_from, open) => {
      const provider = open();
      expect(provider.id).toMatch(/^[0-9a-f]{16}$/);
      const wrapped = await provider.wrap(Buffer.from('key'), context);
      expect(Buffer.from(await provider.unwrap(wrapped, context)).toString()).toBe('key');
      await expect(provider.unwrap(wrapped, { ...context, owner: 'bob' })).rejects.toThrow(DecryptionError);
      await expect(new StaticRootKeyProvider().unwrap(wrapped, context)).rejects.toThrow(DecryptionError);
      const shown = inspect(provider, { depth: 9, showHidden: true }) + JSON.stringify(provider);
      for (const spelling of [value(), raw.toString('hex'), inspect(raw).slice(8, 40)])
        expect(shown).not.toContain(spelling);
    },
  );

  it.each([0o640, 0o604, 0o700, 0o610, 0o4600, 0o2600, 0o1600])(
    'is not taken from a file of mode %o, and named by its id',
    async (mode) => {
      const { id } = FileRootKeyProvider.load(file);
      await chmod(file, mode);
      expect(() => FileRootKeyProvider.load(file)).toThrow(
        `${file} has mode ${mode.toString(8)}, want 600: run \`chmod 600 ${file}\`, and change root key ${id}`,
      );
    },
  );

  it('is taken from a file that even its owner may only read, also by another name', async () => {
    await chmod(file, 0o400);
    await symlink(file, `${file}.link`);
    expect(FileRootKeyProvider.load(`${file}.link`).id).toBe(FileRootKeyProvider.load(file).id);
  });

  it.each([0, 31, 33, 1_000_000])('is not taken from a file of %i bytes', async (length) => {
    await writeFile(file, randomBytes(length));
    expect(() => FileRootKeyProvider.load(file)).toThrow(`is ${length} bytes, want 32`);
  });

  it.each([Buffer.alloc(32), Buffer.alloc(32, 'changeme')])('is no placeholder', async (placeholder) => {
    await writeFile(file, placeholder);
    expect(() => FileRootKeyProvider.load(file)).toThrow(`${file} holds a placeholder, want 32 random bytes`);
  });

  it('is no pipe, whose reader would wait for ever, and no device or directory', () => {
    const pipe = join(directory, 'pipe');
    execFileSync('/usr/bin/mkfifo', ['-m', '600', pipe]);
    for (const path of [pipe, '/dev/zero', directory])
      expect(() => FileRootKeyProvider.load(path)).toThrow(`root key file ${path} is no regular file`);
  });

  it('in a variable is shown by nothing that knows its place', () => {
    const root = { variable: 'ROOT_KEY', provider: 'env', reference: new SecretText(value()) } as const;
    const rotation = { rotation: 'auto', kekMaxAgeDays: 1, tokenKeyMaxAgeDays: 1 } as const;
    const places = new RootKeyPlaces({ ...rotation, root, previousRoot: root });
    expect(places.read().current.id).toBe(FileRootKeyProvider.load(file).id);
    expect(inspect(places, { depth: 9, showHidden: true }) + JSON.stringify(places)).not.toContain(value());
  });

  it('is staged beside the current one, for its owner only, and never twice', async () => {
    const { id } = files.stage();
    expect(id).not.toBe(FileRootKeyProvider.load(file).id);
    expect((await stat(files.next)).mode & 0o777).toBe(0o600);
    expect(await readFile(files.next)).toHaveLength(32);
    expect(() => files.stage()).toThrow(`${files.next} exists already`);
    expect(FileRootKeyProvider.load(files.next).id).toBe(id);
  });

  it('has a file at each step from staged to current, under its own id', () => {
    const old = FileRootKeyProvider.load(file).id;
    const { id } = files.stage();
    files.keepCurrent(id);
    files.keepCurrent(id);
    expect([file, files.previous, files.next].map((name) => FileRootKeyProvider.load(name).id)).toEqual([
      old,
      old,
      id,
    ]);
    files.replaceCurrent(id);
    // As another process that is a moment behind.
    files.keepCurrent(id);
    files.replaceCurrent(id);
    expect([file, files.previous].map((name) => FileRootKeyProvider.load(name).id)).toEqual([id, old]);
    expect(FileRootKeyProvider.loadIfPresent(files.next)).toBeUndefined();
  });

  it('is not kept over one of an earlier change', async () => {
    await writeFile(files.previous, randomBytes(32), { mode: 0o600 });
    expect(() => files.keepCurrent('0123456789abcdef')).toThrow('of an earlier change');
  });

  it('is not kept in a directory that is not there', () => {
    const elsewhere = new RootKeyFiles(file, join(directory, 'absent', 'previous'));
    expect(() => elsewhere.keepCurrent('0123456789abcdef')).toThrow(StartError);
    expect(() => elsewhere.keepCurrent('0123456789abcdef')).toThrow('cannot be changed (ENOENT)');
  });

  it('is overwritten before it is removed, unless it has another name', async () => {
    await symlink(file, `${file}.link`);
    expect(shredRootKeyFile(`${file}.link`)).toBe(false);
    expect(await readFile(file)).toEqual(raw);
    files.keepCurrent('0123456789abcdef');
    expect(shredRootKeyFile(files.previous)).toBe(false);
    expect(await readFile(file)).toEqual(raw);
    const handle = await open(file);
    expect(shredRootKeyFile(file)).toBe(true);
    expect(FileRootKeyProvider.loadIfPresent(file)).toBeUndefined();
    expect(await handle.readFile()).toEqual(Buffer.alloc(32));
    await handle.close();
  });

  it('is under another name while it is overwritten', async () => {
    // What a process leaves that is killed then.
    await rename(file, `${files.previous}.0123456789ab.unfinished`);
    await writeFile(`${files.previous}.0123456789ab.unfinished`, Buffer.alloc(32));
    expect(FileRootKeyProvider.loadIfPresent(files.previous)).toBeUndefined();
    removeUnfinished(files.previous);
    expect(await readdir(directory)).toEqual([]);
  });

  it('is made once by sixteen at a time, and has no other name after it', async () => {
    const made = join(directory, 'new', 'root.key');
    const results = await Promise.all(Array.from({ length: 16 }, async () => makeRootKeyFile(made)));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await readdir(join(directory, 'new'))).toEqual(['root.key']);
    expect((await stat(made)).nlink).toBe(1);
  });

  it('leaves nothing of a process that was killed while it was made, and no backup is taken for such', async () => {
    const name = `${file}.0123456789ab.unfinished`;
    await link(file, name);
    removeUnfinished(file);
    expect(await readFile(file)).toEqual(raw);

    await writeFile(name, randomBytes(32), { mode: 0o600 });
    const handle = await open(name);
    await writeFile(`${file}.202611251350`, raw);
    await writeFile(`${files.next}.0123456789ab.unfinished`, raw);
    removeUnfinished(file);
    expect(await handle.readFile()).toEqual(Buffer.alloc(32));
    await handle.close();
    expect((await readdir(directory)).toSorted()).toEqual([
      'root.key',
      'root.key.202611251350',
      'root.key.next.0123456789ab.unfinished',
    ]);
  });
});
