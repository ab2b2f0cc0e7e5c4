import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import { type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { shakeHands } from '../../test/support/handshake.js';
import { CLIENT_AUTH, newCa, SERVER_AUTH, type TestCertificate } from '../../test/support/test-ca.js';
import { serverUseFault } from './server-use.js';
import { tlsOptions, type TlsProfile } from './tls-options.js';

let ca: TestCertificate;
beforeAll(async () => {
  ca = await newCa();
});

function faultOf({ pem }: TestCertificate): string | undefined {
  return serverUseFault(new X509Certificate(pem));
}

/** What a client that trusts the CA and takes Node's defaults comes to, with the server's own options. */
async function handshakeWith({ pem, key }: TestCertificate, profile: TlsProfile): Promise<unknown> {
  const options = tlsOptions({ cert: Buffer.from(pem), key: Buffer.from(key) }, { profile });
  await using server = createServer(options).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return await shakeHands(`https://127.0.0.1:${port}`, { ca: ca.pem });
}

describe('serverUseFault', () => {
  it.each(['prime256v1', 'secp384r1', 'secp521r1'])('takes a key on %s, which serves', async (curve) => {
    const certificate = await ca.issue({ curve });
    expect(faultOf(certificate)).toBeUndefined();
    for (const profile of ['intermediate', 'modern'] as const) {
      expect(await handshakeWith(certificate, profile)).toMatchObject({ protocol: 'TLSv1.3' });
    }
  });

  it.each(['secp224r1', 'secp256k1'])(
    'refuses a key on %s, with which no handshake succeeds',
    async (curve) => {
      const certificate = await ca.issue({ curve });
      expect(faultOf(certificate)).toBe(
        `has an EC key on ${curve}, want P-256, P-384 or P-521; no handshake would succeed`,
      );
      for (const profile of ['intermediate', 'modern'] as const) {
        expect(await handshakeWith(certificate, profile)).toMatch(/ALERT_HANDSHAKE_FAILURE$/);
      }
    },
  );

  it('takes an RSA key, which serves', async () => {
    const certificate = await ca.issue({ isRsa: true });
    expect(faultOf(certificate)).toBeUndefined();
    expect(await handshakeWith(certificate, 'modern')).toMatchObject({ protocol: 'TLSv1.3' });
  });

  it('wants a DNS name or an IP address, which clients look for', async () => {
    const mail = await ca.issue({ name: 'CN=api', san: [{ type: 'email', value: 'api@example.test' }] });
    expect(faultOf(mail)).toBe(
      'has a subject alternative name without DNS name or IP address; clients would trust it for no host',
    );
    expect(await handshakeWith(mail, 'modern')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(faultOf(await ca.issue({ san: [{ type: 'ip', value: '::1' }] }))).toBeUndefined();
    const both = [
      { type: 'email', value: 'api@example.test' },
      { type: 'dns', value: 'api.example.test' },
    ] as const;
    expect(faultOf(await ca.issue({ san: [...both] }))).toBeUndefined();
  });

  it('wants serverAuth where there is an extended key usage, as clients do', async () => {
    const forClients = await ca.issue({ usages: [CLIENT_AUTH] });
    expect(faultOf(forClients)).toBe(
      'has an extended key usage without serverAuth; have it issued for a server',
    );
    expect(await handshakeWith(forClients, 'modern')).toBe('INVALID_PURPOSE');
    expect(faultOf(await ca.issue({ usages: [CLIENT_AUTH, SERVER_AUTH] }))).toBeUndefined();
  });
});
