import { describe, expect, it } from '@jest/globals';
import { newTotpSeed, totpUri } from '../crypto/totp.js';
import { readTerminalQrCode } from '../../test/support/read-qr-code.js';
import { terminalQrCode } from './terminal-qr-code.js';

/** As many bytes as an address may have, none of them ASCII but the at sign and the dot. */
const LONGEST = `${'密'.repeat(21)}@${'码'.repeat(83)}.cn`;

describe('a QR code for a terminal', () => {
  it.each([true, false])('is read back by a decoder, coloured: %s', async (isColoured) => {
    for (const account of ['a@b.example', `${'a'.repeat(200)}@example.com`, LONGEST]) {
      const uri = totpUri(newTotpSeed(), { issuer: 'api.example.com', account });
      expect(readTerminalQrCode(await terminalQrCode(uri, { isColoured, columns: Infinity }))).toBe(uri);
    }
  });

  it('is as narrow as an 80 column terminal for a usual address', async () => {
    const uri = totpUri(newTotpSeed(), { issuer: 'api.example.com', account: 'ada.lovelace@example.com' });
    const lines = (await terminalQrCode(uri, { isColoured: false, columns: 80 })).trimEnd().split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('says how many columns it needs where there are fewer', async () => {
    const uri = totpUri(newTotpSeed(), { issuer: 'api.example.com', account: LONGEST });
    const [line = ''] = (await terminalQrCode(uri, { isColoured: false, columns: Infinity })).split('\n');
    const options = { isColoured: true, columns: line.length - 1 };
    await expect(terminalQrCode(uri, options)).rejects.toThrow(
      `the QR code needs ${line.length} columns and the terminal has ${options.columns}`,
    );
    expect(await terminalQrCode(uri, { ...options, columns: line.length })).toContain('█');
  });
});
