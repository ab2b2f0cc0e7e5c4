import { describe, expect, it } from '@jest/globals';
import { newTotpSeed, totpUri } from '../crypto/totp.js';
import { readTerminalQrCode } from '../../test/support/read-qr-code.js';
import { terminalQrCode } from './terminal-qr-code.js';

describe('a QR code for a terminal', () => {
  it.each([true, false])('is read back by a decoder, coloured: %s', async (isColoured) => {
    for (const account of ['a@b.example', `${'a'.repeat(200)}@example.com`]) {
      const uri = totpUri(newTotpSeed(), { issuer: 'api.example.com', account });
      expect(readTerminalQrCode(await terminalQrCode(uri, { isColoured }))).toBe(uri);
    }
  });

  it('is as narrow as an 80 column terminal for a usual address', async () => {
    const uri = totpUri(newTotpSeed(), { issuer: 'api.example.com', account: 'ada.lovelace@example.com' });
    const lines = (await terminalQrCode(uri, { isColoured: false })).trimEnd().split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});
