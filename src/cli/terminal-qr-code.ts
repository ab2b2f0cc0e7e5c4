import { StartError } from '../common/start-error.js';

/** Light modules around the code (ISO/IEC 18004, section 6.3.8). */
const QUIET_ZONE = 4;
const BRIGHT_WHITE_ON_BLACK = '\u001B[40;97m';
const RESET = '\u001B[0m';

/**
 * A QR code in text, two rows of modules a line. The light modules are what is drawn, so that it is not inverted on
 * a dark terminal; `isColoured` makes it the same on a light one.
 *
 * @throws {StartError} when it is wider than that many columns: it would be torn, and no app could read it
 */
export async function terminalQrCode(
  text: string,
  { isColoured, columns }: { readonly isColoured: boolean; readonly columns: number },
): Promise<string> {
  // Loaded only here: the other commands need none of it.
  const { encodeQR } = await import('qr');
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_ZONE });
  if (rows.length > columns) {
    throw new StartError(
      `the QR code needs ${rows.length} columns and the terminal has ${columns}: widen it or make its letters smaller`,
    );
  }
  let drawn = '';
  for (let index = 0; index < rows.length; index += 2) {
    const lower = rows[index + 1];
    const line = (rows[index] ?? [])
      .map((isUpperDark, column) => block(!isUpperDark, lower !== undefined && lower[column] !== true))
      .join('');
    drawn += isColoured ? `${BRIGHT_WHITE_ON_BLACK}${line}${RESET}\n` : `${line}\n`;
  }
  return drawn;
}

function block(isUpperLight: boolean, isLowerLight: boolean): string {
  if (isUpperLight) return isLowerLight ? '█' : '▀';
  return isLowerLight ? '▄' : ' ';
}
