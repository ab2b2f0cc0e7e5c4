import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { StartError } from '../common/start-error.js';
import { decodeText, STANDARD_INPUT } from './decode-text.js';

/** One value: asked for at a terminal, or all of standard input but a line break at its end. */
export async function readValue(ask: () => Promise<string | undefined>): Promise<string> {
  if (process.stdin.isTTY) return (await ask()) ?? '';
  const text = decodeText(await buffer(process.stdin), STANDARD_INPUT, { keepsMark: true });
  return text.replace(/\r?\n$/, '');
}

/**
 * All of standard input, without a byte order mark.
 *
 * @throws {StartError} for what is no text, and at a terminal, where nobody would know that something is waited for
 */
export async function readInput(what: string): Promise<string> {
  if (process.stdin.isTTY) throw new StartError(`give ${what} on standard input`);
  return decodeText(await buffer(process.stdin), STANDARD_INPUT);
}

/** A text file, without a byte order mark. @throws {StartError} when it can't be read or is no text */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new StartError(`${file} cannot be read`, { cause });
  });
  return decodeText(bytes, file);
}
