import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Build, type Running } from '../support/built-server.js';
import { codeBlocksOf } from '../support/markdown.js';

const PRINTED_PORT = '3443';

describe("the README's walk with curl", () => {
  let build: Build;
  let server: Running;
  beforeAll(async () => {
    build = await Build.create();
    server = build.run('main.js', [], {});
    if ((await server.url()) === undefined) server = build.run('main.js', [], { PORT: '0' }); // 3443 is taken here
  });
  afterAll(async () => {
    await server.stop();
    await build.remove();
  });

  it('runs as it is printed against a server that was just started', async () => {
    const url = (await server.url()) ?? '';
    const walk = (await walkOf('README.md')).replaceAll(PRINTED_PORT, new URL(url).port);
    const shell = spawn('bash', ['-e', '-o', 'pipefail', '-c', walk], { cwd: build.directory });
    const [output, faults, [code]] = await Promise.all([
      text(shell.stdout),
      text(shell.stderr),
      once(shell, 'close'),
    ]);
    expect({ code, faults }).toEqual({ code: 0, faults: '' });
    const answers = output.trim().split('\n');
    expect(answers.slice(0, -1).map((answer) => JSON.parse(answer) as unknown)).toMatchObject([
      { email: 'ada@example.com', roles: ['user'] },
      { name: 'db.main', version: 1 },
      { name: 'db.main', version: 1, data: { url: 'postgres://app:first@db.example.com/app' } },
      { name: 'db.main', version: 2 },
      { name: 'db.main', version: 1, data: { url: 'postgres://app:first@db.example.com/app' } },
      { views: 1, url: expect.stringMatching(/\/s\/[0-9a-f-]{36}#share_/) },
      { name: 'Grace Hopper', email: 'grace@example.com', version: 1 },
      { items: [{ name: 'Grace Hopper', note: 'prefers e-mail' }], nextCursor: null },
    ]);
    expect(answers.at(-1)).toBe('401');
  });
});

/** The commands of the section, in order and as one script: later ones use the variables of earlier ones. */
async function walkOf(file: string): Promise<string> {
  const sections = (await readFile(file, 'utf8')).split(/^## /m);
  const walk = sections.find((section) => section.startsWith('A walk with curl\n')) ?? '';
  const blocks = codeBlocksOf(walk, 'bash');
  if (blocks.length === 0) throw new Error(`${file} has no walk with curl`);
  return blocks.join('\n');
}
