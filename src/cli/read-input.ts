import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { StartError } from '../common/start-error.js';
import { readPassword } from './read-password.js';

const STANDARD_INPUT = 'standard input';

/** One value: asked for without showing it, or all of standard input but a line break at its end. */
export async function readValue(): Promise<string> {
  if (process.stdin.isTTY) return readPassword();
  const text = decode(await buffer(process.stdin), STANDARD_INPUT, { keepsMark: true });
  return text.replace(/\r?\n$/, '');
}

/**
 * All of standard input, without a byte order mark.
 *
 * @throws {StartError} for what is no text, and at a terminal, where nobody would know that something is waited for
 */
export async function readInput(what: string): Promise<string> {
  if (process.stdin.isTTY) throw new StartError(`give ${what} on standard input`);
  return decode(await buffer(process.stdin), STANDARD_INPUT);
}

/** A text file, without a byte order mark. @throws {StartError} when it can't be read or is no text */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new StartError(`${file} cannot be read`, { cause });
  });
  return decode(bytes, file);
}

function decode(bytes: Buffer, source: string, { keepsMark = false } = {}): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: keepsMark }).decode(bytes);
  } catch (cause) {
    throw new StartError(`${source} is not UTF-8`, { cause });
  }
}
