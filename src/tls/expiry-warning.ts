import { type Clock } from '../common/clock.js';
import { type ServedCertificate } from './served-certificate.js';
import { type TlsLog } from './tls-log.js';

/** Time to act when an automatic renewal, due with a third of 90 days left, has failed for a week. */
const WARN_FROM_DAYS = 21;
const DAY_MS = 86_400_000;

/** Warns of a certificate that is about to expire, once a day. */
export class ExpiryWarning {
  #warnedAtMs = -Infinity;

  constructor(
    private readonly served: ServedCertificate,
    private readonly clock: Clock,
    private readonly log: TlsLog,
  ) {}

  /** To be called often. */
  check(): void {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#warnedAtMs < DAY_MS || this.served.daysLeft > WARN_FROM_DAYS) return;
    this.#warnedAtMs = nowMs;
    const state = this.served.daysLeft < 0 ? 'has expired' : 'expires soon';
    this.log.warn(this.served.describe(), `the TLS certificate ${state}: renew it`);
  }
}
