import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StartError } from '../common/start-error.js';
import { decodeText, STANDARD_INPUT } from './decode-text.js';

/**
 * Asks for a password twice without showing it, or reads one line when standard input is no terminal.
 * Never from an argument: those are in the process list and the shell's history.
 *
 * @throws {StartError} when nothing was given or the two differ
 */
export async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return required(await readLine());
  const password = required(await ask('Password: '));
  if (password !== (await ask('Again: '))) throw new StartError('the passwords differ');
  return password;
}

/** One line that isn't shown while it is typed, or of standard input when that is no terminal. */
export async function readHiddenLine(prompt: string): Promise<string | undefined> {
  return process.stdin.isTTY ? ask(prompt) : readLine();
}

async function readLine(): Promise<string | undefined> {
  // A character a byte: what is decoded here as UTF-8 has lost its mistakes.
  process.stdin.setEncoding('latin1');
  for await (const line of createInterface({ input: process.stdin })) {
    return decodeText(Buffer.from(line, 'latin1'), STANDARD_INPUT);
  }
  return undefined;
}

async function ask(prompt: string): Promise<string | undefined> {
  process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string | undefined>((resolve) => {
      terminal.once('line', resolve);
      terminal.once('close', () => resolve(undefined));
    });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

function required(password: string | undefined): string {
  if (password === undefined || password === '') throw new StartError('no password was given');
  return password;
}
