import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { type Certificates } from './pem-certificates.js';
import { isForServers } from './server-use.js';

/** Where the issuer's certificate can be fetched (RFC 5280, 4.2.2.1): what has it comes from a larger PKI. */
const CA_ISSUERS = /^CA Issuers - /m;

/**
 * What keeps clients from following a chain, leaf first, to its root; undefined when nothing does. A root may be
 * left out. Whether it was can't be seen where a private CA says nothing of itself: such a chain passes.
 *
 * @param before - the chain that was served until now: what it had of the same issuer must still be there
 */
export function chainFault(chain: Certificates, now: Date, before?: Certificates): string | undefined {
  const broken = chain.slice(1).findIndex((issuer, index) => !hasIssued(issuer, chain[index]));
  if (broken >= 0) {
    return `is no chain: certificate ${broken + 2} of ${chain.length} did not issue the one before it`;
  }
  // Of a root clients have a copy of their own: what this one says doesn't count.
  const intermediates = chain.slice(1).filter((issuer) => !hasIssued(issuer, issuer));
  for (const intermediate of intermediates) {
    const fault = intermediateFault(intermediate, now);
    if (fault !== undefined) return `holds ${nameOf(intermediate.subject)}, which ${fault}`;
  }
  const last = chain.at(-1) ?? chain[0];
  if (hasIssued(last, last)) return undefined;
  const isMissing = before?.some((issuer) => hasIssued(issuer, last) && !hasIssued(issuer, issuer)) === true;
  if (!isMissing && !(CA_ISSUERS.test(last.infoAccess ?? '') && !isIssuedByKnownRoot(last))) return undefined;
  return `lacks the certificate of its issuer, ${nameOf(last.issuer)}; append it (certbot: use fullchain.pem)`;
}

function intermediateFault(issuer: X509Certificate, now: Date): string | undefined {
  if (now > issuer.validToDate) {
    return `expired at ${issuer.validToDate.toISOString()}; put the issuer's current certificate there`;
  }
  if (now < issuer.validFromDate) return `is not valid before ${issuer.validFromDate.toISOString()}`;
  return isForServers(issuer) ? undefined : 'has an extended key usage without serverAuth';
}

/** On one line. */
function nameOf(distinguishedName: string): string {
  return distinguishedName.replaceAll('\n', ', ');
}

/** By name and signature. A root has issued itself. */
export function hasIssued(issuer: X509Certificate, certificate: X509Certificate | undefined): boolean {
  return certificate?.checkIssued(issuer) === true && certificate.verify(issuer.publicKey);
}

/** Of those that clients ship with. Some 150 are parsed for it, so only when there is reason to ask. */
function isIssuedByKnownRoot(certificate: X509Certificate): boolean {
  return getCACertificates('default').some((pem) => hasIssued(new X509Certificate(pem), certificate));
}
