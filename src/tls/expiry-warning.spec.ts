import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { ExpiryWarning } from './expiry-warning.js';
import { ServedCertificate } from './served-certificate.js';
import { type ServerCertificate } from './server-certificate.js';

const DAY_SECONDS = 86_400;

let clock: FakeClock;
let warnings: string[];
beforeEach(() => {
  clock = new FakeClock();
  warnings = [];
});

function certificate(days: number): ServerCertificate {
  return {
    cert: Buffer.of(),
    key: Buffer.of(),
    notAfter: new Date(clock.iso(days * DAY_SECONDS)),
    subjectAltName: 'DNS:localhost',
    fingerprint256: 'AA',
    serialNumber: '01',
  };
}

function newWarning(served: ServedCertificate): ExpiryWarning {
  return new ExpiryWarning(served, clock, { warn, log: warn, error: warn });
}

function warn(fields: object, message: string): void {
  warnings.push(`${message} ${String((fields as Record<string, unknown>)['certificateDaysLeft'])}`);
}

describe('ExpiryWarning', () => {
  it('warns from 21 days on, once a day, and says when the certificate has expired', () => {
    const warning = newWarning(new ServedCertificate(certificate(24), clock));
    for (let hour = 0; hour < 25 * 24; hour++) {
      warning.check();
      clock.advance(DAY_SECONDS / 24);
    }
    const lasting = Array.from({ length: 22 }, (_none, days) => `expires soon: renew it ${21 - days}`);
    expect(warnings).toEqual(
      [...lasting, 'has expired: renew it -1'].map((text) => `the TLS certificate ${text}`),
    );
  });

  it('stops when the certificate is replaced', () => {
    const served = new ServedCertificate(certificate(5), clock);
    const warning = newWarning(served);
    warning.check();
    served.replace(certificate(90));
    clock.advance(2 * DAY_SECONDS);
    warning.check();
    expect(warnings).toHaveLength(1);
  });
});
