import { type X509Certificate } from 'node:crypto';

const DAY_MS = 86_400_000;

/** What a person wants to know of a certificate, one line each. Times are UTC. */
export function describeCertificate(certificate: X509Certificate, now: Date): string[] {
  const { subject, issuer, subjectAltName, serialNumber, fingerprint256, ca } = certificate;
  const from = certificate.validFromDate;
  const to = certificate.validToDate;
  const daysLeft = Math.floor((to.getTime() - now.getTime()) / DAY_MS);
  return [
    `subject      ${oneLine(subject)}`,
    `issuer       ${oneLine(issuer)}`,
    ...(ca ? ['             a CA'] : [`names        ${subjectAltName ?? 'none'}`]),
    `valid        ${from.toISOString()} to ${to.toISOString()}, ${validity(from, daysLeft, now)}`,
    `key          ${keyOf(certificate)}`,
    `serial       ${serialNumber}`,
    `SHA-256      ${fingerprint256}`,
  ];
}

function validity(from: Date, daysLeft: number, now: Date): string {
  if (now < from) return 'not yet';
  return daysLeft < 0 ? 'expired' : `${daysLeft} days left`;
}

function keyOf({ publicKey: { asymmetricKeyType, asymmetricKeyDetails } }: X509Certificate): string {
  const size = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength ?? '';
  return `${asymmetricKeyType ?? 'unknown'} ${size}`.trimEnd();
}

/** Node escapes what a name could do to a terminal. */
function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}
