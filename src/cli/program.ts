import 'reflect-metadata';
import { Command } from 'commander';
import { AppError } from '../common/app-error.js';
import { StartError } from '../common/start-error.js';
import { auditCommand } from './audit.command.js';
import { certsCommand } from './certs.command.js';
import { dbCommand } from './db.command.js';
import { keysCommand } from './keys.command.js';
import { rootCommand } from './root.command.js';
import { totpCommand } from './totp.command.js';
import { usersCommand } from './users.command.js';

/** Runs one command. A fault that the operator can mend is one line on standard error and exit code 1. */
export async function runCli(argv: readonly string[]): Promise<void> {
  const program = new Command('cli')
    .description('Operates the API: its certificates, its database, its keys, its users and its audit log')
    .addCommand(certsCommand())
    .addCommand(dbCommand())
    .addCommand(rootCommand())
    .addCommand(keysCommand())
    .addCommand(usersCommand())
    .addCommand(totpCommand())
    .addCommand(auditCommand());
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof StartError || error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
