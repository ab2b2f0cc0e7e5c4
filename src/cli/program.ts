import 'reflect-metadata';
import { Command } from 'commander';
import { AppError } from '../common/app-error.js';
import { errorCode } from '../common/error-code.js';
import { stackOf } from '../common/stack-of.js';
import { printable } from '../common/printable.js';
import { StartError } from '../common/start-error.js';
import { DatabaseUnavailableError, unusableDatabase } from '../database/errors.js';

/** Loaded only when they are used: some bring the whole application along, which takes a second. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  certs: async () => (await import('./certs.command.js')).certsCommand(),
  db: async () => (await import('./db.command.js')).dbCommand(),
  root: async () => (await import('./root.command.js')).rootCommand(),
  keys: async () => (await import('./keys.command.js')).keysCommand(),
  users: async () => (await import('./users.command.js')).usersCommand(),
  passwords: async () => (await import('./passwords.command.js')).passwordsCommand(),
  totp: async () => (await import('./totp.command.js')).totpCommand(),
  audit: async () => (await import('./audit.command.js')).auditCommand(),
  secrets: async () => (await import('./secrets.command.js')).secretsCommand(),
  keypair: async () => (await import('./open.command.js')).keypairCommand(),
  open: async () => (await import('./open.command.js')).openCommand(),
};

/** As a shell reports a program that SIGPIPE ended: Node ignores that signal. */
const EXIT_CODE_OF_BROKEN_PIPE = 141;

/** Runs one command. A fault that the operator can mend is one line on standard error and exit code 1. */
export async function runCli(argv: readonly string[]): Promise<void> {
  endWithReader();
  const program = new Command('cli')
    .description(
      'Operates the API: its certificates, database, keys, users and audit log; and uses its secrets',
    )
    .enablePositionalOptions();
  const [, , name = ''] = argv;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  for (const each of load ? [load] : Object.values(commands)) program.addCommand(await each());
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.stderr.write(`${faultOf(error)}\n`);
    process.exitCode = 1;
  }
}

function faultOf(error: unknown): string {
  if (error instanceof DatabaseUnavailableError) return unusableDatabase(error);
  if (error instanceof StartError || error instanceof AppError) return printable(error.message);
  return stackOf(error);
}

/** Ends quietly when whoever reads the output, such as `head`, has enough. */
function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (errorCode(error) !== 'EPIPE') throw error;
      process.exit(EXIT_CODE_OF_BROKEN_PIPE);
    });
  }
}
