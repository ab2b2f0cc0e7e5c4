import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PROJECT, SERVER_OPTIONS, SERVER_SCRIPT } from './built.ts';
import { type Deployment } from './deployment.ts';
import { untilItAnswers } from './https-client.ts';
import { median } from './statistics.ts';

const STARTS = 3;
/** For what the start leaves to be done in the background. */
const SETTLE_MS = 500;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const KIB_PER_MIB = 1_024;

export interface StartResult {
  readonly starts: number;
  /** From `npm run start:prod` to the first 200 over HTTPS. */
  readonly npmMs: number;
  /** The same from `node … dist/main.js`, which is what the script runs. */
  readonly nodeMs: number;
  /** Resident memory of the server after its first answer. */
  readonly rssMib: number;
}

/** Measures how long a production start takes and what memory the server then has. */
export async function measureStart(deployment: Deployment): Promise<StartResult> {
  const npmMs: number[] = [];
  const nodeMs: number[] = [];
  const rssMib: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    await whileStarted('npm', ['run', 'start:prod'], deployment, (elapsedMs) => void npmMs.push(elapsedMs));
    const script = fileURLToPath(SERVER_SCRIPT);
    const args = [...SERVER_OPTIONS, script];
    await whileStarted(process.execPath, args, deployment, async (elapsedMs, pid) => {
      nodeMs.push(elapsedMs);
      await delay(SETTLE_MS);
      rssMib.push(residentKib(pid) / KIB_PER_MIB);
    });
  }
  return { starts: STARTS, npmMs: median(npmMs), nodeMs: median(nodeMs), rssMib: median(rssMib) };
}

async function whileStarted(
  command: string,
  args: readonly string[],
  { origin, environment }: Deployment,
  use: (elapsedMs: number, pid: number) => Promise<void> | void,
): Promise<void> {
  const env = { ...environment, npm_config_update_notifier: 'false' };
  const startedAtMs = performance.now();
  // A process group of its own, because npm puts a shell between itself and the server.
  const child = spawn(command, args, { cwd: PROJECT, env, stdio: 'ignore', detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} cannot be run`);
  const kill = () => void signalGroup(pid, 'SIGKILL');
  process.once('exit', kill);
  try {
    await Promise.race([untilItAnswers(origin, '/health/live'), refusal(child)]);
    await use(performance.now() - startedAtMs, pid);
  } finally {
    await stopGroup(pid);
    process.off('exit', kill);
  }
}

async function refusal(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error('the server ended before it answered: start it by hand to see why');
}

async function stopGroup(pid: number): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  const deadlineMs = performance.now() + STOP_TIMEOUT_MS;
  while (signalGroup(pid, 0)) {
    if (performance.now() > deadlineMs) signalGroup(pid, 'SIGKILL');
    await delay(POLL_MS);
  }
}

/** @returns false when no process of the group is left */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

function residentKib(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
}
