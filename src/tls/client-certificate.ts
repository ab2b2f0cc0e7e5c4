import { type TLSSocket } from 'node:tls';

/** Who a client's certificate says it is, after the handshake has proved that it holds the key. */
export interface ClientCertificate {
  /** Its distinguished name, for example `CN=billing, O=Example`. */
  readonly subject: string;
  /** For example `DNS:billing.internal, URI:spiffe://example.com/billing`, if it has any. */
  readonly subjectAltName: string | undefined;
  /** SHA-256 of its DER in base64url, as `x5t#S256` of RFC 8705, section 3.1. */
  readonly thumbprint: string;
}

/**
 * The certificate of the client at the other end, or undefined where there is none that counts. Only the
 * connection is asked: a header could say anything.
 */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    subjectAltName: certificate.subjectAltName,
    thumbprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
  };
}
