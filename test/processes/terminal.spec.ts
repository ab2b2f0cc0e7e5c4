import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Running } from '../support/built-server.js';

const SOURCES = [
  'src',
  'lists',
  'package.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
  '.swcrc',
];
const INTERRUPT = '\x03';

/** Of util-linux: runs a command in a terminal of its own, here one that says no width. */
function inTerminal(command: string, directory: string): Running {
  const env = { PATH: process.env['PATH'], TERM: 'xterm', PORT: '0' };
  return new Running(spawn('script', ['-qec', command, '/dev/null'], { cwd: directory, env }));
}

describe('in a terminal', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'terminal-'));
    for (const name of SOURCES) await cp(name, join(directory, name), { recursive: true });
    await symlink(resolve('node_modules'), join(directory, 'node_modules'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('npm run start:dev ends at Ctrl-C as soon as it serves', async () => {
    const server = inTerminal('npm run start:dev', directory);
    await server.says('/health/ready');
    server.press(INTERRUPT);
    expect(await server.exitCode()).toBe(130);
    expect(server.output).toContain('stopping');
  }, 60_000);

  it('npm run build ends', async () => {
    const build = inTerminal('npm run build', directory);
    expect(await build.exitCode()).toBe(0);
    expect(build.output).toContain('Successfully compiled');
  }, 60_000);
});
