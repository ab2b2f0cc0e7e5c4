/** Light modules around the code (ISO/IEC 18004, section 6.3.8). */
const QUIET_ZONE = 4;
const BRIGHT_WHITE_ON_BLACK = '\u001B[40;97m';
const RESET = '\u001B[0m';

/**
 * A QR code in text, two rows of modules a line. The light modules are what is drawn, so that it is not inverted on
 * a dark terminal; `isColoured` makes it the same on a light one.
 */
export async function terminalQrCode(
  text: string,
  { isColoured }: { readonly isColoured: boolean },
): Promise<string> {
  // Loaded only here: the other commands need none of it.
  const { encodeQR } = await import('qr');
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_ZONE });
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
