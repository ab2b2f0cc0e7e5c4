// @peculiar/x509 resolves its algorithms by decorator metadata, so this import must precede it.
import 'reflect-metadata'; // oxlint-disable-line import/no-unassigned-import
import { type X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(crypto);

/** A certificate revocation list (RFC 5280, section 5), as far as a start has to judge it. */
export interface RevocationList {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** True when this CA signed it. */
  isFrom(authority: X509Certificate): Promise<boolean>;
}

/** @throws when the text isn't one list in PEM */
export function parseCrl(pem: string): RevocationList {
  const crl = new x509.X509Crl(pem);
  return {
    thisUpdate: crl.thisUpdate,
    nextUpdate: crl.nextUpdate,
    isFrom: async ({ raw }) => {
      const { subject, publicKey } = new x509.X509Certificate(raw);
      if (subject !== crl.issuer) return false;
      // A key of another kind is no error here: it is the key of another CA.
      return crl.verify({ publicKey }).catch(() => false);
    },
  };
}
