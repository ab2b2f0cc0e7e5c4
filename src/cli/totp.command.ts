import { Command } from 'commander';
import { StartError } from '../common/start-error.js';
import { readHiddenLine } from './read-password.js';
import { terminalQrCode } from './terminal-qr-code.js';

/** Its longest part is an address of 64 and 254 bytes (RFC 5321), each percent-encoded; a QR code takes 2 331 bytes. */
const KEY_URI = /^otpauth:\/\/[\x21-\x7e]{1,2000}$/;

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
  const { isTTY: isColoured, columns } = process.stdout;
  // A file has no columns, and a terminal that doesn't know how wide it is says 0.
  process.stdout.write(await terminalQrCode(uri, { isColoured, columns: columns || Infinity }));
}
