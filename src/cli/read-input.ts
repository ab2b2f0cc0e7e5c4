import { text } from 'node:stream/consumers';
import { StartError } from '../common/start-error.js';
import { readPassword } from './read-password.js';

/** One value: asked for without showing it, or all of standard input but a line break at its end. */
export async function readValue(): Promise<string> {
  if (process.stdin.isTTY) return readPassword();
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}

/** All of standard input. @throws {StartError} at a terminal, where nobody would know that something is waited for */
export async function readInput(what: string): Promise<string> {
  if (process.stdin.isTTY) throw new StartError(`give ${what} on standard input`);
  return text(process.stdin);
}
