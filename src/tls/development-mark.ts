import type { X509Certificate } from 'node:crypto';

/** The organisation in the name of everything issued for development. A project that renames its CA keeps it. */
export const DEVELOPMENT_ORGANISATION = 'For development only';

export const DEVELOPMENT_CA_NAME = 'NestJS Secure API Starter development CA';

/** The names of this machine to itself; the development CA can vouch for nothing else. */
export const DEVELOPMENT_HOSTS = ['localhost', '127.0.0.1', '::1'] as const;

/** The lifetime the Mozilla guideline 6.0 recommends for a server certificate. */
export const SERVER_CERTIFICATE_DAYS = 90;

/** id-ce-nameConstraints (RFC 5280, 4.2.1.10) in DER. */
const NAME_CONSTRAINTS_OID = Buffer.of(0x06, 0x03, 0x55, 0x1d, 0x1e);

/** True for a CA that can vouch for some names only, as every CA made here. */
export function isConstrained({ raw }: X509Certificate): boolean {
  return raw.includes(NAME_CONSTRAINTS_OID);
}

/** By the issuer, so that it also shows where the CA certificate itself is left out of the chain. */
export function isFromDevelopmentCa({ issuer }: X509Certificate): boolean {
  return issuer.split('\n').includes(`O=${DEVELOPMENT_ORGANISATION}`);
}
