import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who isn't root becomes so in a namespace of users. */
const NAMESPACES = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];

/** A command that turns into the one that follows it. */
export type Launcher = readonly string[];

/**
 * Launches a program in a network of its own, which has only loopback and the system's defaults.
 *
 * @param setUp - shell commands that change the network first
 */
export function inOwnNetwork(setUp = ':'): Launcher {
  const script = `set -e; ip link set lo up; ${setUp}; exec "$@"`;
  return ['unshare', ...NAMESPACES, '--', 'sh', '-c', script, 'sh'];
}

/** Runs a command in the network of a process. @returns what it writes */
export async function inNetworkOf(pid: number | undefined, command: readonly string[]): Promise<string> {
  const users = NAMESPACES.includes('--user') ? ['--user', '--preserve-credentials'] : [];
  const { stdout } = await run('nsenter', ['--target', String(pid), ...users, '--net', ...command]);
  return stdout;
}

/** What the system says to a program that would listen there: a code, or `listening`. @throws without the launcher */
export async function listenOutcome(launcher: Launcher, host: string, port: number): Promise<string> {
  const script = `
    const server = require('node:net').createServer();
    server.on('error', ({ code }) => console.log(code));
    server.listen(${port}, '${host}', () => { console.log('listening'); server.close(); });`;
  const [command, ...args] = [...launcher, process.execPath, '-e', script];
  const { stdout } = await run(command, args);
  return stdout.trim();
}
