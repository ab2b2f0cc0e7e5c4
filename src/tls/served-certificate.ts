import { type Clock } from '../common/clock.js';
import { type ServerCertificate } from './server-certificate.js';

const DAY_MS = 86_400_000;

/** The certificate that clients get now: another one after a reload. */
export class ServedCertificate {
  constructor(
    private certificate: ServerCertificate,
    private readonly clock: Clock,
  ) {}

  get current(): ServerCertificate {
    return this.certificate;
  }

  replace(certificate: ServerCertificate): void {
    this.certificate = certificate;
  }

  /** Whole days until it expires; negative once it has. */
  get daysLeft(): number {
    return Math.floor((this.certificate.notAfter.getTime() - this.clock.nowMs()) / DAY_MS);
  }

  /** What a log line says of it. */
  describe(): Readonly<Record<string, string | number>> {
    const { notAfter, serialNumber, fingerprint256 } = this.certificate;
    return {
      certificateExpires: notAfter.toISOString(),
      certificateDaysLeft: this.daysLeft,
      certificateSerialNumber: serialNumber,
      certificateFingerprint: fingerprint256,
    };
  }
}
