import { Command } from 'commander';
import { StartError } from '../common/start-error.js';
import { readHiddenLine } from './read-password.js';
import { terminalQrCode } from './terminal-qr-code.js';

const KEY_URI = /^otpauth:\/\/[\x21-\x7e]{1,1000}$/;

export function totpCommand(): Command {
  return new Command('totp')
    .description('second factors')
    .addCommand(
      new Command('qr')
        .description('show a key URI as a QR code; it is asked for, or read from standard input')
        .action(showQrCode),
    );
}

/** The URI holds the seed, so it is never an argument: those are in the process list and the shell's history. */
async function showQrCode(): Promise<void> {
  const uri = (await readHiddenLine('otpauth URI: '))?.trim() ?? '';
  if (!KEY_URI.test(uri))
    throw new StartError('no otpauth URI was given: it is the member uri of the answer');
  process.stdout.write(await terminalQrCode(uri, { isColoured: process.stdout.isTTY }));
}
