import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** What the script looks for before it installs anything. */
const PROGRAMS = ['apt-get', 'redis-server', 'chromium', 'curl', 'ip', 'sslscan', 'testssl'];

describe('.ci/run', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ci-run-'));
    for (const name of PROGRAMS) await standIn(name, 'exit 0');
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function standIn(name: string, script: string): Promise<void> {
    await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  it('ends with the count of what failed also when nothing could be installed', async () => {
    await standIn('npm', 'exit 7');
    const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}` };
    await expect(promisify(execFile)(join('.ci', 'run'), { env })).rejects.toMatchObject({
      code: 7,
      stdout: expect.stringMatching(/(^|\n)0 passed, 1 failed\n$/),
    });
  });
});
