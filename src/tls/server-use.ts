import { type X509Certificate } from 'node:crypto';

/** Of the extended key usages (RFC 5280, 4.2.1.12). */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** Those that TLS has signatures for (RFC 8446, 4.2.3), as OpenSSL calls them. */
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Why no client could use it as a server's certificate; undefined when one can. */
export function serverUseFault(leaf: X509Certificate): string | undefined {
  const { subjectAltName, publicKey } = leaf;
  if (subjectAltName === undefined) {
    // RFC 9110, 4.3.4: clients no longer look at the common name.
    return 'has no subject alternative name; clients would trust it for no host';
  }
  if (!/(^|, )(DNS|IP Address):/.test(subjectAltName)) {
    return 'has a subject alternative name without DNS name or IP address; clients would trust it for no host';
  }
  if (!isForServers(leaf)) return 'has an extended key usage without serverAuth; have it issued for a server';
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  if (publicKey.asymmetricKeyType === 'ec' && !CURVES.has(curve)) {
    return `has an EC key on ${curve ?? 'a curve without a name'}, want P-256, P-384 or P-521; no handshake would succeed`;
  }
  return undefined;
}

/** A certificate that says nothing of its purposes is for all of them; that of an issuer limits what it issued. */
export function isForServers(certificate: X509Certificate): boolean {
  // Node's types take it for always there.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  return usages === undefined || usages.includes(SERVER_AUTH);
}
