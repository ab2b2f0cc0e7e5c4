import { StartError } from '../common/start-error.js';
import { hasIssued } from './certificate-chain.js';
import { isFromDevelopmentCa } from './development-mark.js';
import { type Certificates, parseCertificates, readTlsFile } from './pem-certificates.js';

/** Whose certificates clients may show, and whether they must. */
export interface ClientAuthorities {
  readonly auth: 'optional' | 'required';
  /** PEM certificates of the CAs, as read. */
  readonly ca: Buffer;
  /** PEM revocation lists, one each, because OpenSSL reads only the first of a text. */
  readonly crl?: string[];
}

export interface ClientAuthoritiesOptions {
  readonly auth: 'optional' | 'required';
  readonly caFile: string;
  readonly crlFile: string | undefined;
  readonly now: Date;
  /** Also refuses a development CA. */
  readonly production: boolean;
}

/**
 * Reads and checks the CAs of clients and what they revoked. A list must be there for each CA, and be of
 * its time: OpenSSL would otherwise refuse every client of that CA, in the handshake and without a word.
 *
 * @throws StartError naming the file at fault
 */
export async function loadClientAuthorities(options: ClientAuthoritiesOptions): Promise<ClientAuthorities> {
  const { auth, caFile, crlFile, now, production } = options;
  const ca = readTlsFile(caFile, { content: 'client CA', variable: 'TLS_CLIENT_CA_FILE' });
  const certificates = parseCertificates(ca, `TLS client CA ${caFile}`);
  if (certificates.some((certificate) => !certificate.ca)) {
    throw new StartError(`TLS client CA ${caFile} holds a certificate that is not of a CA; remove it`);
  }
  if (production && certificates.some(isFromDevelopmentCa)) {
    throw new StartError(`TLS client CA ${caFile} is a development CA; production needs one of its own`);
  }
  const fault = bundleFault(certificates, now);
  if (fault !== undefined) throw new StartError(`TLS client CA ${caFile} ${fault}`);
  if (crlFile === undefined) return { auth, ca };
  const crl = splitCrls(readTlsFile(crlFile, { content: 'client CRL', variable: 'TLS_CLIENT_CRL_FILE' }));
  await checkCrls(crl, certificates, crlFile, now);
  return { auth, ca, crl };
}

/** OpenSSL follows a client's chain up to a root, and takes none that is outside its validity. */
function bundleFault(authorities: Certificates, now: Date): string | undefined {
  const current = authorities.filter((ca) => ca.validFromDate <= now && now <= ca.validToDate);
  if (current.length === 0) return 'holds no CA that is valid now; fetch it anew';
  const hasRoot = current.some((ca) => hasIssued(ca, ca));
  return hasRoot ? undefined : 'holds intermediates only, or a root that is not valid now; append their root';
}

function splitCrls(pem: Buffer): string[] {
  return pem.toString('latin1').match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
}

async function checkCrls(
  pems: readonly string[],
  authorities: Certificates,
  file: string,
  now: Date,
): Promise<void> {
  const refused = (reason: string, cause?: unknown) =>
    new StartError(`TLS client CRL ${file} ${reason}`, { cause });
  if (pems.length === 0) {
    throw refused('holds no PEM list; convert DER with: openssl crl -inform der -in <der> -out <pem>');
  }
  // Only with a revocation list is the ASN.1 library behind it worth its time to load.
  const { parseCrl } = await import('./revocation-list.js');
  const crls = pems.map((pem, index) => {
    try {
      return parseCrl(pem);
    } catch (error) {
      throw refused(`cannot be parsed at list ${index + 1} of ${pems.length}`, error);
    }
  });
  for (const authority of authorities) {
    const name = authority.subject.replaceAll('\n', ', ');
    const ofAuthority = await Promise.all(crls.map((crl) => crl.isFrom(authority)));
    const own = crls.filter((_crl, index) => ofAuthority[index]);
    if (own.length === 0) throw refused(`has no list of ${name}; append it`);
    const begun = own.filter(({ thisUpdate }) => thisUpdate <= now);
    if (begun.length === 0) {
      throw refused(`has a list of ${name} that is not valid yet; check this machine's clock`);
    }
    if (!begun.some(({ nextUpdate }) => nextUpdate === undefined || now < nextUpdate)) {
      throw refused(`has an outdated list of ${name}; fetch it anew`);
    }
  }
}
