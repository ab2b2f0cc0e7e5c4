import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newTotpSeed, totpUri } from '../../src/crypto/totp.js';
import { Build } from '../support/built-server.js';
import { readTerminalQrCode } from '../support/read-qr-code.js';

describe('the command totp qr', () => {
  let build: Build;
  beforeAll(async () => {
    build = await Build.create();
  });
  afterAll(() => build.remove());

  async function qr(input: string): Promise<{ code: unknown; output: string }> {
    const command = build.run('cli/main.js', ['totp', 'qr'], {}).type(input);
    const code = await command.exitCode();
    return { code, output: command.output };
  }

  it('reads a key URI from standard input and shows what an app scans', async () => {
    const uri = totpUri(newTotpSeed(), { issuer: 'api.example.com', account: 'ada@example.com' });
    const { code, output } = await qr(`${uri}\n`);
    expect(code).toBe(0);
    expect(readTerminalQrCode(output)).toBe(uri);
    expect(output).not.toContain('secret');
  });

  it('shows that of the longest address as well', async () => {
    const account = `${'密'.repeat(21)}@${'码'.repeat(83)}.cn`;
    const uri = totpUri(newTotpSeed(), { issuer: `${'a'.repeat(60)}.example.com`, account });
    const { code, output } = await qr(`${uri}\n`);
    expect(code).toBe(0);
    expect(readTerminalQrCode(output)).toBe(uri);
  });

  it('refuses anything else without repeating it', async () => {
    for (const input of [
      '',
      'https://example.com/?secret=ABC\n',
      '{"uri":"otpauth://totp/a?secret=ABC"}\n',
    ]) {
      const { code, output } = await qr(input);
      expect(code).toBe(1);
      expect(output).toBe('no otpauth URI was given: it is the member uri of the answer\n');
    }
  });
});
