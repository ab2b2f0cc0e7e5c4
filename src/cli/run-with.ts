import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { StartError } from '../common/start-error.js';
import { type StringRecord } from '../common/string-record.js';
import { inheritedEnvironment } from '../config/client-config.js';
import { requireVariables } from './dotenv.js';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a command to its end with more environment variables, which are handed over in memory. Who may look into the
 * process can read them there.
 *
 * @returns its exit code; 128 and the signal's number where a signal ended it
 * @throws {StartError} when it can't be started
 */
export async function runWith(variables: StringRecord, [program = '', ...args]: readonly string[]) {
  if (program === '') throw new StartError('the command is empty');
  const env = { ...inheritedEnvironment(), ...requireVariables(variables) };
  const stops: (() => void)[] = [];
  try {
    const child = spawn(program, args, { stdio: 'inherit', env });
    for (const signal of FORWARDED) {
      const listener = () => child.kill(signal);
      process.on(signal, listener);
      stops.push(() => process.off(signal, listener));
    }
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (cause) {
    throw new StartError(`${program} cannot be started`, { cause });
  } finally {
    for (const stop of stops) stop();
  }
}
