import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { requireVariables } from '../common/dotenv.js';
import { StartError } from '../common/start-error.js';
import { type StringRecord } from '../common/string-record.js';
import { inheritedEnvironment } from '../config/client-config.js';

/** Sent to this process alone, by whoever manages it. */
const FORWARDED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP'];
/** A terminal sends these to the command as well: once is enough, and the command decides what they mean. */
const LEFT_TO_COMMAND: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Runs a command to its end with more environment variables, which are handed over in memory. Who may look into the
 * process can read them there. A signal that ends this process reaches the command, and this process waits for it.
 *
 * @returns its exit code; 128 and the signal's number where a signal ended it
 * @throws {StartError} when it can't be started
 */
export async function runWith(variables: StringRecord, [program = '', ...args]: readonly string[]) {
  if (program === '') throw new StartError('the command is empty');
  const env = { ...inheritedEnvironment(), ...requireVariables(variables) };
  let child: ChildProcess | undefined;
  const listener = (signal: NodeJS.Signals) => {
    if (FORWARDED.includes(signal)) child?.kill(signal);
  };
  // Before the start: a signal in between would end this process and leave the command behind.
  for (const signal of [...FORWARDED, ...LEFT_TO_COMMAND]) process.on(signal, listener);
  try {
    child = spawn(program, args, { stdio: 'inherit', env });
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (cause) {
    throw new StartError(`${program} cannot be started`, { cause });
  } finally {
    for (const signal of [...FORWARDED, ...LEFT_TO_COMMAND]) process.off(signal, listener);
  }
}
