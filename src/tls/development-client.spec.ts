import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartError } from '../common/start-error.js';
import { makeDevelopmentClient } from './development-client.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'development-client-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('makeDevelopmentClient', () => {
  it.each(['', '-x', 'a.b', '../x', 'a/b', 'a\n', 'é', 'x'.repeat(41)])(
    'refuses the name %j and makes nothing',
    async (name) => {
      const made = makeDevelopmentClient({ directory, name, now: new Date() });
      await expect(made).rejects.toBeInstanceOf(StartError);
      expect(await readdir(directory)).toEqual([]);
    },
  );

  it('makes a chain and a key beside those of the server', async () => {
    await makeDevelopmentClient({ directory, name: 'billing', now: new Date() });
    expect((await readdir(directory)).toSorted()).toEqual([
      'ca.key',
      'ca.pem',
      'client-billing.key',
      'client-billing.pem',
      'server.key',
      'server.pem',
    ]);
  });
});
