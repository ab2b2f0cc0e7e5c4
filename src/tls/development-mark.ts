import type { X509Certificate } from 'node:crypto';

/** The organisation in the name of everything issued for development. A project that renames its CA keeps it. */
export const DEVELOPMENT_ORGANISATION = 'For development only';

/** By the issuer, so that it also shows where the CA certificate itself is left out of the chain. */
export function isFromDevelopmentCa({ issuer }: X509Certificate): boolean {
  return issuer.split('\n').includes(`O=${DEVELOPMENT_ORGANISATION}`);
}
